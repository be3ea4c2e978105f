"""From any exception to the one error body of the API.

What was refused on purpose keeps its code; what the framework or the database refused gets the nearest one; everything
else is `internal_error`, logged once under the request's id and told to nobody.
Source: contract/conventions.md, "Errors".
"""

from __future__ import annotations

import logging

import psycopg
from django.core.exceptions import (
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions

from restartix.kernel.api.envelope import Answer, failure
from restartix.kernel.api.requests import request_id_of
from restartix.kernel.api.serializers import invalid
from restartix.kernel.errors import (
    Conflict,
    Forbidden,
    Invalid,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    Refusal,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)

logger = logging.getLogger("restartix.api")

#: Serialization failure, deadlock, lock not available: the same request may succeed when it is repeated.
CONTENTION = frozenset({"40001", "40P01", "55P03"})
_UNIQUENESS = frozenset({"23505", "23P01", "23503"})
_BAD_VALUE = frozenset({"23502", "23514"})


class InternalError(Refusal):
    """Something went wrong on our side. The request id finds it in the log."""

    code = "internal_error"
    status = 500


class Contended(Conflict):
    """Another change got in the way at the same moment: repeat the request."""

    def __init__(self) -> None:
        """Say when to try again."""
        super().__init__(headers={"Retry-After": "1"})


_BY_STATUS: dict[int, type[Refusal]] = {
    refusal.status: refusal
    for refusal in (
        MalformedRequest, Unauthorized, Forbidden, NotFound, MethodNotAllowed, NotAcceptable, PayloadTooLarge,
        UnsupportedMediaType, Conflict, RateLimited, Unavailable, InternalError,
    )
}  # fmt: skip


#: The first match counts: RequestDataTooBig is a SuspiciousOperation.
_OF_FRAMEWORK: dict[tuple[type[Exception], ...], type[Refusal]] = {
    (RequestDataTooBig,): PayloadTooLarge,
    (Http404, ObjectDoesNotExist): NotFound,
    (PermissionDenied,): Forbidden,
    (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError): MalformedRequest,
}


def refusal_for_status(status: int) -> Refusal:
    """Return the plain refusal of a status that something outside the API decided on."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]()
    return MalformedRequest() if status < 500 else InternalError()


def refusal_of(error: BaseException) -> Refusal:
    """Return the refusal that tells the caller about `error`; logs what is our own fault."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, DatabaseError | InterfaceError | psycopg.Error):
        return _of_database(error)
    if isinstance(error, exceptions.ValidationError):
        return invalid(error.detail)
    if isinstance(error, exceptions.APIException):
        return refusal_for_status(error.status_code)
    refusal = next((refusal for kinds, refusal in _OF_FRAMEWORK.items() if isinstance(error, kinds)), None)
    return refusal() if refusal else _internal(error)


def sqlstate_of(error: BaseException) -> str:
    """Return the SQLSTATE of a database error, or an empty string where there is none."""
    source = error if isinstance(error, psycopg.Error) else error.__cause__
    return str(getattr(source, "sqlstate", None) or "")


def is_contention(error: BaseException) -> bool:
    """Tell whether repeating the whole transaction may help."""
    return isinstance(error, DatabaseError | psycopg.Error) and sqlstate_of(error) in CONTENTION


def _of_database(error: BaseException) -> Refusal:
    """Sort a database error: unavailable (503), contended (409), a value that fits no column (422), ours (500)."""
    state = sqlstate_of(error)
    if state in {"40001", "40P01"}:
        return Contended()
    if state in _UNIQUENESS:
        logger.error("a constraint without a refusal of its own broke", exc_info=error)
        return Conflict()
    if state in _BAD_VALUE or isinstance(error, DataError | psycopg.DataError):
        logger.error("a value passed validation that the database refuses", exc_info=error)
        return Invalid({"body": ["a value is not acceptable"]})
    if isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError):
        logger.warning("database unavailable: %s", error)
        return Unavailable()
    return _internal(error)


def _internal(error: BaseException) -> Refusal:
    logger.error("internal_error: %s", type(error).__name__, exc_info=error)
    return InternalError()


def answer_to(refusal: Refusal, request: HttpRequest) -> Answer:
    """Return the refusal as the API writes it."""
    answer = Answer(failure(refusal, request_id_of(request)), status=refusal.status, headers=refusal.headers)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (Django would log it a second time)
    return answer


def refused(error: BaseException, request: HttpRequest) -> Answer:
    """Return the answer to a request that ended in `error`."""
    return answer_to(refusal_of(error), request)
