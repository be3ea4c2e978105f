"""From what an operation returned to the bytes of its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http.response import HttpResponseBase

from restartix.kernel.api import etags
from restartix.kernel.api.continuing import Pending
from restartix.kernel.api.envelope import Answer, nothing, one
from restartix.kernel.api.errors import answer_to
from restartix.kernel.api.lists import Listing
from restartix.kernel.api.operations import Answered, Operation
from restartix.kernel.errors import Refusal
from restartix.kernel.outside import Outside

if TYPE_CHECKING:
    from restartix.kernel.api.resources import Resource

NOT_MODIFIED = 304


def answer_with(value: Any, view: Resource, operation: Operation) -> HttpResponseBase:
    """Write `value` as the operation declares; see `operations` for what it may be."""
    if isinstance(value, HttpResponseBase | Outside):
        return Pending(value) if isinstance(value, Outside) else value
    if isinstance(value, Refusal):
        return answer_to(value, view.request)
    answered = value if isinstance(value, Answered) else Answered(value)
    if answered.value is None:
        return nothing(answered.status or 204)
    if isinstance(answered.value, Listing):
        return _with_cache(Answer(answered.value.payload, headers=answered.headers), operation)
    data = view.represent(answered.value, operation)
    status = answered.status or operation.status
    headers = {**_location(view, data, status), **answered.headers}
    if _carries_etag(view, operation, data):
        return _validated(view, operation, data, headers)
    return _with_cache(Answer(one(data), status=status, headers=headers), operation)


def _with_cache(answer: Answer, operation: Operation) -> Answer:
    answer["Cache-Control"] = operation.cache_control
    return answer


def _location(view: Resource, data: Any, status: int) -> dict[str, str]:
    if status != 201 or not view.location or not isinstance(data, Mapping):
        return {}
    return {"Location": view.location.format(**{**view.kwargs, **data})}


def _carries_etag(view: Resource, operation: Operation, data: Any) -> bool:
    if view.request.method not in {"GET", "HEAD"} or not isinstance(data, Mapping):
        return False
    return operation.etag is not False


def _validated(view: Resource, operation: Operation, data: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
    """Answer a GET with its ETag, or with 304 to a caller who has the present state already."""
    etag = etags.etag_of(data, volatile=view.volatile(operation), included=(*view.included, *view.settling(operation)))
    if etags.matches(view.request.META.get("HTTP_IF_NONE_MATCH", ""), etag, weak=True):
        unchanged = Answer(None, status=NOT_MODIFIED, headers={**headers, "ETag": etag})
        unchanged.content = b""
        del unchanged["Content-Type"]
        return _with_cache(unchanged, operation)
    return _with_cache(Answer(one(data), headers={**headers, "ETag": etag}), operation)
