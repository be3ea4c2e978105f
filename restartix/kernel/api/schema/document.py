"""The whole document: shared components, tags, outgoing events."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Union, get_args, get_origin, get_type_hints

from restartix.kernel.api.schema import naming, shared
from restartix.kernel.api.schema.examples import example_of_type
from restartix.kernel.facts import Announcement

Schema = dict[str, Any]


def complete(result: Schema, generator: Any, request: Any, public: bool) -> Schema:  # noqa: FBT001 (spectacular's signature)
    """Add to the generated paths what all of them refer to (a post-processing hook of drf-spectacular)."""
    components = result.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **shared.SCHEMAS}.items()))
    components["headers"] = shared.HEADERS
    components["parameters"] = shared.PARAMETERS
    components["securitySchemes"] = shared.SECURITY
    components["responses"] = _shared_refusals(result["paths"])
    result["tags"] = _tags(generator)
    if webhooks := dict(_webhooks()):
        result["webhooks"] = webhooks
    return result


def _tags(generator: Any) -> list[Schema]:
    described: dict[str, str] = {}
    for _, _, _, callback in generator.endpoints or ():
        name = naming.tag_of(callback.cls)
        described[name] = described.get(name) or naming.tag_description(callback.cls)
    return [{"name": name, "description": text} for name, text in sorted(described.items())]


def _shared_refusals(paths: Schema) -> Schema:
    """Put every kind of refusal into the document once, and refer to it from the operations."""
    found: Schema = {}
    for path in paths.values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    name = "Or".join(_camel(code) for code in response["content"]["application/json"]["examples"])
                    found[name] = response
                    operation["responses"][status] = shared.ref("responses", name)
    return dict(sorted(found.items()))


def _camel(code: str) -> str:
    return "".join(part.capitalize() for part in code.split("_"))


def announcements() -> Iterator[type[Announcement]]:
    """Return every fact that is told to the outside, by name."""
    pending, found = [Announcement], {}
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        name = getattr(kind, "name", "")
        if name and not name.startswith("internal."):
            found[name] = kind
    for name in sorted(found):
        yield found[name]


def _webhooks() -> Iterator[tuple[str, Schema]]:
    for kind in announcements():
        yield kind.name, {"post": _delivery(kind)}


def _delivery(kind: type[Announcement]) -> Schema:
    name = kind.name
    payload = {
        "type": "object",
        "required": ["id", "type", "timestamp", "organization_id", "data"],
        "properties": {
            "id": {"type": "string", "description": "`evt_` and a ULID; the same in every attempt."},
            "type": {"type": "string", "const": name},
            "timestamp": {"type": "string", "format": "date-time"},
            "organization_id": {"type": "integer", "format": "int64"},
            "data": _data(kind),
        },
    }
    event = {
        "id": "evt_01KBC0DE0000000000000000TS",
        "type": name,
        "timestamp": "2026-12-01T10:00:00Z",
        "organization_id": 7,
    }
    example = {**event, "data": _example(kind)}
    return {
        "operationId": "event_" + name.replace(".", "_"),
        "tags": ["Events"],
        "summary": (kind.__doc__ or name).strip().splitlines()[0],
        # No scheme of ours: the receiver checks the signature.
        "description": "Signed by Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": payload, "example": example}}},
        "security": [],
        "responses": {"2XX": {"description": "Received. Anything else is a failed attempt and is repeated."}},
    }


def _data(kind: type[Announcement]) -> Schema:
    hints = get_type_hints(kind)
    properties = {field.name: _of_type(hints[field.name], field.name) for field in fields(kind)}
    return {"type": "object", "required": list(properties), "properties": properties}


def _example(kind: type[Announcement]) -> Schema:
    hints = get_type_hints(kind)
    return {
        field.name: field.metadata.get("example", example_of_type(field.name, hints[field.name]))
        for field in fields(kind)
    }


_TYPES: dict[Any, Schema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number"},
    str: {"type": "string"},
}
#: What texts are whose names end so.
_FORMATS = {"uid": "uuid", "at": "date-time"}


def _of_type(hint: Any, name: str = "") -> Schema:
    if get_origin(hint) in {Union, types.UnionType}:
        (wanted,) = (argument for argument in get_args(hint) if argument is not type(None))
        schema = _of_type(wanted, name)
        return {**schema, "type": [schema["type"], "null"]}
    if get_origin(hint) in {list, tuple}:
        return {"type": "array", "items": _of_type(get_args(hint)[0])}
    described = _FORMATS.get(name.rpartition("_")[2]) if hint is str else None
    return {**_TYPES[hint], **({"format": described} if described else {})}
