"""The parts of the document that all operations share: errors, headers, parameters, security."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from restartix.kernel.errors import Refusal

Schema = dict[str, Any]

EXAMPLE_REQUEST_ID = "5f59e1e6a1cc4a9491e4738a80e25483"


def ref(kind: str, name: str) -> Schema:
    """Return the reference to a shared part."""
    return {"$ref": f"#/components/{kind}/{name}"}


def _header(description: str, schema: Schema) -> Schema:
    return {"description": description, "schema": schema}


HEADERS: dict[str, Schema] = {
    "X-Request-ID": _header(
        "The request's id: the caller's if it is a sane token, else a new one.", {"type": "string"}
    ),
    "X-RateLimit-Limit": _header(
        "Requests that the limit nearest to exhaustion allows in its window.", {"type": "integer"}
    ),
    "X-RateLimit-Remaining": _header("Requests that are left of it.", {"type": "integer"}),
    "X-RateLimit-Reset": _header("Seconds until its window ends.", {"type": "integer"}),
    "Retry-After": _header("Seconds after which a repetition may succeed.", {"type": "integer"}),
    "ETag": _header("Validator of the representation, for If-Match and If-None-Match.", {"type": "string"}),
    "Location": _header("Address of the created resource.", {"type": "string"}),
    "Idempotency-Replayed": _header("`true` on an answer that was given before.", {"type": "string", "enum": ["true"]}),
    "WWW-Authenticate": _header("The scheme that is accepted.", {"type": "string", "enum": ["Bearer"]}),
}
ALWAYS = ("X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def _parameter(name: str, description: str, schema: Schema) -> Schema:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema}


PARAMETERS: dict[str, Schema] = {
    "Organization": _parameter(
        "X-Organization-ID",
        "The organization to act in. Without it the caller's current one counts; on public operations it restricts "
        "what may be named.",
        {"type": "integer", "format": "int64", "minimum": 1},
    ),
    "IdempotencyKey": _parameter(
        "Idempotency-Key",
        "Any text of your own, best a UUID. A repetition with the same key and body within 24 hours gets the first "
        "answer again.",
        {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    ),
    "IfMatch": _parameter(
        "If-Match", "An ETag: the change is made only if nothing has changed since.", {"type": "string"}
    ),
    "IfNoneMatch": _parameter("If-None-Match", "An ETag: 304 if nothing has changed since.", {"type": "string"}),
}

SECURITY: dict[str, Schema] = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A Clerk session token; in development one of `manage.py issue_token`.",
    }
}

SCHEMAS: dict[str, Schema] = {
    "Error": {
        "type": "object",
        "description": "Why a request was refused.",
        "required": ["error"],
        "properties": {"error": ref("schemas", "Refusal")},
    },
    "Refusal": {
        "type": "object",
        "description": "The reason of a refusal.",
        "required": ["code", "message", "details", "request_id"],
        "properties": {
            "code": {"type": "string", "description": "What programs decide by."},
            "message": {"type": "string", "description": "What people read."},
            "details": {"type": "object", "additionalProperties": True},
            "request_id": {"type": "string"},
        },
    },
    "Pagination": {
        "type": "object",
        "required": ["page", "limit", "total", "total_pages"],
        "properties": {
            "page": {"type": "integer", "minimum": 1},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            "total": {"type": "integer", "minimum": 0},
            "total_pages": {"type": "integer", "minimum": 0},
        },
    },
}

_OF_STATUS: dict[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    409: ("Retry-After",),
    412: ("ETag",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
_EXAMPLE_DETAILS: dict[str, Schema] = {
    "validation_failed": {"field": "name", "error": "required", "fields": {"name": ["required"]}},
    "invalid_transition": {"from": "upcoming", "to": "done", "allowed": ["confirmed", "inprogress", "noshow"]},
    "payload_too_large": {"max_bytes": 1048576},
}


def headers(*names: str) -> dict[str, Schema]:
    """Return the headers that every answer carries, and `names`."""
    return {name: ref("headers", name) for name in (*ALWAYS, *names)}


def error_response(status: int, refusals: Iterable[type[Refusal]]) -> Schema:
    """Return the answer to the refusals of one status, with their codes as an enumeration and an example of each."""
    kinds = {kind.code: kind for kind in refusals}
    examples = {code: {"summary": kind.default_message(), "value": _example(kind)} for code, kind in kinds.items()}
    return {
        "description": " ".join(dict.fromkeys(kind.default_message() for kind in kinds.values())),
        "headers": headers(*_OF_STATUS.get(status, ())),
        "content": {"application/json": {"schema": _narrowed(list(kinds)), "examples": examples}},
    }


def _narrowed(codes: list[str]) -> Schema:
    """Return the error with some codes only; each level repeats the whole, so that no property looks undeclared."""
    coded = {"type": "object", "properties": {"code": {"type": "string", "enum": codes}}}
    refusal = {"allOf": [ref("schemas", "Refusal"), coded]}
    return {"allOf": [ref("schemas", "Error"), {"type": "object", "properties": {"error": refusal}}]}


def _example(kind: type[Refusal]) -> Schema:
    details = _EXAMPLE_DETAILS.get(kind.code, {})
    error = {"code": kind.code, "message": kind.default_message(), "details": details}
    return {"error": {**error, "request_id": EXAMPLE_REQUEST_ID}}
