"""Refusals: the reasons a request is declined, each with a code and a status.

A refusal is a class named as the reason; its docstring is the message that the caller reads. Doors translate it:
the API to the error envelope, the back office to a message, a command to its exit code.
Source: contract/conventions.md, "Errors".
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import IntegrityError, transaction


class Refusal(Exception):
    """The request was declined."""

    code: ClassVar[str] = "conflict"
    status: ClassVar[int] = 409

    def __init__(
        self,
        message: str | None = None,
        *,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Decline with the class's own message, or `message`; `details` are for machines and default to nothing."""
        self.message = message or type(self).default_message()
        self.details: dict[str, Any] = dict(details or {})
        self.headers: dict[str, str] = dict(headers or {})
        super().__init__(self.message)

    @classmethod
    def default_message(cls) -> str:
        """Return the first paragraph of the docstring on one line."""
        return " ".join((inspect.getdoc(cls) or cls.__name__).split("\n\n")[0].split())


class MalformedRequest(Refusal):
    """The request could not be read."""

    code = "malformed_request"
    status = 400


class OrganizationRequired(Refusal):
    """Say which organization is meant: send X-Organization-ID or choose one with PUT /v1/me/switch-organization."""

    code = "organization_required"
    status = 400


class Unauthorized(Refusal):
    """A valid session token is required."""

    code = "unauthorized"
    status = 401

    def __init__(self, message: str | None = None, *, details: Mapping[str, Any] | None = None) -> None:
        """Decline and name the scheme that would be accepted (RFC 6750)."""
        super().__init__(message, details=details, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(Refusal):
    """Your role does not allow this."""

    code = "forbidden"
    status = 403


class Impersonating(Forbidden):
    """The patient has to do this in person."""

    def __init__(self) -> None:
        """Say which rule it is (contract/profiles.md 1.6)."""
        super().__init__(details={"reason": "impersonating"})


class NotFound(Refusal):
    """There is no such resource."""

    code = "not_found"
    status = 404


class MethodNotAllowed(Refusal):
    """This path does not answer to that method."""

    code = "method_not_allowed"
    status = 405


class NotAcceptable(Refusal):
    """The answer cannot be given in the representation that was asked for."""

    code = "not_acceptable"
    status = 406


class Conflict(Refusal):
    """The present state does not allow this."""

    code = "conflict"
    status = 409


class AlreadyTaken(Conflict):
    """Another row already uses this value."""

    def __init__(self, field: str = "", **more: Any) -> None:
        """Name the `field` whose value is taken (organizations.md, section 0)."""
        super().__init__(details={"field": field, "error": "already taken", **more})


class InvalidTransition(Conflict):
    """The state machine has no such move from the present state."""

    code = "invalid_transition"

    def __init__(self, *, current: str, to: str, allowed: Sequence[str]) -> None:
        """Say where it stands, what was asked, and what would be `allowed`, in the order of the states."""
        super().__init__(details={"from": current, "to": to, "allowed": list(allowed)})


class Gone(Refusal):
    """The resource existed and is over."""

    code = "gone"
    status = 410


class PreconditionFailed(Refusal):
    """The resource has changed since you read it: read it again and repeat your change."""

    code = "precondition_failed"
    status = 412


class PayloadTooLarge(Refusal):
    """The body is larger than this operation accepts."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(Refusal):
    """The body's content type or encoding is not one that this operation reads."""

    code = "unsupported_media_type"
    status = 415


class Invalid(Refusal):
    """Some values are not acceptable."""

    code = "validation_failed"
    status = 422

    def __init__(self, fields: Mapping[str, Sequence[str]], message: str | None = None) -> None:
        """Name every bad value by its path (`specialists[0].priority`) with what was expected of it."""
        self.fields = {path: list(messages) for path, messages in fields.items()}
        path, messages = next(iter(self.fields.items()))
        super().__init__(message, details={"field": path, "error": messages[0], "fields": self.fields})


class RateLimited(Refusal):
    """Too many requests: wait as long as Retry-After says."""

    code = "rate_limited"
    status = 429


class Unavailable(Refusal):
    """Something this operation needs is down for the moment: try again."""

    code = "unavailable"
    status = 503

    def __init__(self, message: str | None = None, *, retry_after_seconds: int = 1, **more: Any) -> None:
        """Decline and say when to try again."""
        super().__init__(message, headers={"Retry-After": str(retry_after_seconds)}, **more)


@contextmanager
def named_within(path: str) -> Iterator[None]:
    """Let what is wrong with a value be named by its place in the whole: `person.phone` rather than `phone`."""
    try:
        yield
    except Invalid as error:
        raise Invalid({f"{path}.{field}": messages for field, messages in error.fields.items()}) from error


def constraint_of(error: IntegrityError) -> str:
    """Return the name of the constraint that broke, or an empty string where PostgreSQL names none."""
    diagnostics = getattr(error.__cause__, "diag", None)
    return str(getattr(diagnostics, "constraint_name", "") or "")


@contextmanager
def refusing(**refusals: Refusal | type[Refusal]) -> Iterator[None]:
    """Turn a broken constraint, by its name, into its refusal; the savepoint keeps the transaction usable.

    Example: `with refusing(specialty_slug_free=AlreadyTaken("slug")): ...`
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        refusal = refusals.get(constraint_of(error))
        if refusal is None:
            raise
        raise refusal from error
