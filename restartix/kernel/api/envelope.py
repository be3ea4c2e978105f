"""The shapes of an answer: one thing, a page of things, or the reason why not; and their bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils.encoding import force_str
from django.utils.functional import Promise

from restartix.kernel.errors import Refusal

JSON = "application/json"
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS


def one(data: Any) -> dict[str, Any]:
    """Wrap one resource."""
    return {"data": data}


def page_of(data: Sequence[Any], *, page: int, limit: int, total: int) -> dict[str, Any]:
    """Wrap one page of a list; `total` counts all rows that the filters let through."""
    pagination = {"page": page, "limit": limit, "total": total, "total_pages": -(-total // limit)}
    return {"data": data, "pagination": pagination}


def failure(refusal: Refusal, request_id: str) -> dict[str, Any]:
    """Wrap the reason of a refusal."""
    error = {
        "code": refusal.code,
        "message": refusal.message,
        "details": refusal.details,
        "request_id": request_id,
    }
    return {"error": error}


def dumps(value: Any) -> bytes:
    """Write JSON: instants in UTC with `Z`, decimals as strings, lazy texts in the active language."""
    return orjson.dumps(value, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Promise):
        return force_str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")


class Answer(HttpResponse):
    """A JSON answer. Personal data unless said otherwise, so no cache may keep it."""

    def __init__(self, payload: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Write `payload`; `headers` override the defaults."""
        super().__init__(dumps(payload), status=status, content_type=JSON)
        self["Cache-Control"] = "no-store"
        for name, value in (headers or {}).items():
            self[name] = value


def nothing(status: int = 204) -> HttpResponse:
    """Answer without a body."""
    response = HttpResponse(status=status)
    del response["Content-Type"]
    response["Cache-Control"] = "no-store"
    return response
