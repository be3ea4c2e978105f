"""Every refusal that an operation can answer, by status: what it declares, and what the conventions add."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from restartix.kernel.api.contexts import Context
from restartix.kernel.api.errors import InternalError
from restartix.kernel.api.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from restartix.kernel.api.operations import Operation
from restartix.kernel.errors import (
    Forbidden,
    Impersonating,
    Invalid,
    MalformedRequest,
    NotAcceptable,
    NotFound,
    OrganizationRequired,
    PayloadTooLarge,
    PreconditionFailed,
    RateLimited,
    Refusal,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)

_ALWAYS = (MalformedRequest, Unauthorized, Forbidden, NotAcceptable, Invalid, RateLimited, InternalError, Unavailable)


def refusals_of(view: Any, operation: Operation, *, writes: bool, has_row: bool) -> dict[int, list[type[Refusal]]]:
    """Return status → refusals, ascending, each once."""
    grouped: dict[int, list[type[Refusal]]] = defaultdict(list)
    in_person = (Impersonating,) if operation.in_person or operation.in_person_fields else ()
    for kind in (*in_person, *operation.errors, *_conventional(view, writes=writes, has_row=has_row)):
        if kind not in grouped[kind.status]:
            grouped[kind.status].append(kind)
    return dict(sorted(grouped.items()))


def _conventional(view: Any, *, writes: bool, has_row: bool) -> Iterator[type[Refusal]]:
    context = view.context_for(view.action)
    yield from _ALWAYS
    if context is Context.REQUIRED:
        yield OrganizationRequired
    if has_row or context in {Context.PATH, Context.PUBLIC}:
        yield NotFound
    if writes:
        yield from (PayloadTooLarge, UnsupportedMediaType, IdempotencyKeyReused, IdempotencyInProgress)
    if writes and has_row and view.serializer_class is not None:
        yield PreconditionFailed
