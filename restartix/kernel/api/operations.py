"""One declaration of an operation: what it takes, what it gives, how it may fail.

It feeds parsing, answering and the schema:

    @operation(body=StatusBody, returns=AppointmentSerializer, errors=(InvalidTransition,))
    def change_status(self, row, body): ...

An operation asks by name for what it needs: `row` (the row of the path), `body`, `query` (both read and validated),
`request`, and the values of the path. What it returns decides the answer:

- a model instance, a list or a dict: written by `returns` (else by the resource's `serializer_class`) with `status`;
- `Answered(value, status=..., headers=...)`: the same, with another status;
- None: 204;
- a `Refusal`, returned rather than raised: that error, and what was done stays done;
- an HttpResponse: itself;
- `Outside(work)`: what has to wait for the network, done after the commit and answered in a second transaction.

What it raises is refused, and undone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, TypeVar

from rest_framework import serializers

from restartix.kernel.api.contexts import Context
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.parsing import MIB
from restartix.kernel.api.serializers import Body, Query
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import Refusal

MULTIPART = "multipart/form-data"
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


@dataclass(frozen=True)
class Operation:
    """What one operation declares of itself."""

    body: type[Body] | None = None
    query: type[Query] | None = None
    returns: type[serializers.BaseSerializer] | None = None
    #: The answer's data is a list (not paginated).
    many: bool = False
    status: int = 200
    #: Further statuses that a successful answer may have: 200 of a repeated creation.
    also: tuple[int, ...] = ()
    errors: tuple[type[Refusal], ...] = ()
    limits: tuple[Limit, ...] = ()
    #: The body changes what was sent and leaves the rest; None: so for `update`.
    sent_only: bool | None = None
    consumes: tuple[str, ...] = (JSON,)
    produces: tuple[str, ...] = (JSON,)
    max_bytes: int = MIB
    context: Context | None = None
    #: Whether the path names a row that `rows()` holds; None: when the path has the resource's `lookup`.
    row: bool | None = None
    #: Creates an organization's row, so a superadmin must say which organization; None: so for `create`.
    needs_organization: bool | None = None
    cache_control: str = "no-store"
    #: The answer is a document of its own, in no envelope.
    is_bare: bool = False
    #: Answers to a GET of one resource carry an ETag; None: so for every GET of one JSON resource.
    etag: bool | None = None
    #: The answer may be kept, to be given again under the same Idempotency-Key; not where it holds what nobody stores.
    is_kept: bool = True
    #: The patient has to do this in person: refused under impersonation; or only bodies that hold one of these fields.
    in_person: bool = False
    in_person_fields: tuple[str, ...] = ()
    summary: str = ""
    request_example: Any = None
    response_example: Any = None
    deprecated: bool = False
    #: Beyond the contract: an offer of this server, which others need not make.
    is_extension: bool = False
    parameters: tuple[str, ...] = field(default=(), repr=False)

    def wants(self, name: str) -> bool:
        """Tell whether the operation asks for `name`."""
        return name in self.parameters


@dataclass(frozen=True)
class Answered:
    """A value with a status or headers other than the declared ones."""

    value: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def operation(
    *,
    errors: Iterable[type[Refusal]] = (),
    limits: Iterable[Limit] = (),
    **declared: Any,
) -> Callable[[FunctionT], FunctionT]:
    """Declare an operation; the keywords are the fields of `Operation`."""
    made = Operation(errors=tuple(errors), limits=tuple(limits), **declared)

    def mark(function: FunctionT) -> FunctionT:
        function.operation = replace(made, parameters=_parameters(function))  # type: ignore[attr-defined]
        return function

    return mark


@cache
def operation_of(function: Callable[..., Any]) -> Operation:
    """Return what a method declares, or the defaults."""
    declared: Operation | None = getattr(function, "operation", None)
    return declared or Operation(parameters=_parameters(function))


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(name for name in inspect.signature(function).parameters if name != "self")
