"""How the strict fields are written in the schema."""
# mypy: disallow-untyped-calls=False

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from restartix.kernel.api import fields
from restartix.kernel.api.parsing import BIGGEST_INTEGER, SMALLEST_INTEGER

Schema = dict[str, Any]


def _text(field: Any) -> Schema:
    bounds: Schema = {"type": "string", "maxLength": field.max_length}
    return {**bounds, "minLength": field.min_length} if field.min_length and not field.allow_null else bounds


def _pattern(field: Any) -> Schema:
    return {**_text(field), "pattern": f"^(?:{field.pattern.pattern})$"}


def _integer(field: Any) -> Schema:
    """Write the bounds that are narrower than 64 bits: the wider ones no JavaScript number holds."""
    lower = {} if field.min_value == SMALLEST_INTEGER else {"minimum": field.min_value}
    upper = {} if field.max_value == BIGGEST_INTEGER else {"maximum": field.max_value}
    return {"type": "integer", "format": "int64", **lower, **upper}


def _fixed(**schema: Any) -> Callable[[Any], Schema]:
    return lambda field: {"type": "string", **schema}


#: The most telling class of a field counts.
_SCHEMAS: dict[type, Callable[[Any], Schema]] = {
    fields.Colour: _fixed(pattern="^#[0-9A-Fa-f]{6}$"),
    fields.Pattern: _pattern,
    fields.Email: _fixed(format="email", maxLength=254),
    fields.Phone: _fixed(maxLength=32, description="A telephone number; kept as E.164."),
    fields.Url: lambda field: {**_text(field), "format": "uri"},
    fields.TimeZone: _fixed(description="The IANA name of a time zone."),
    fields.Currency: _fixed(pattern="^[A-Z]{3}$", description="ISO 4217."),
    fields.Country: _fixed(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2."),
    fields.Text: _text,
    fields.Uuid: _fixed(format="uuid"),
    fields.Integer: _integer,
    fields.Boolean: lambda field: {"type": "boolean"},
    fields.Money: _fixed(pattern=r"^[0-9]{1,8}(\.[0-9]{1,2})?$", description="A decimal with at most two places."),
    fields.Instant: _fixed(format="date-time"),
    fields.Date: _fixed(format="date"),
    fields.TimeOfDay: _fixed(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    fields.Object: lambda field: {"type": "object", "additionalProperties": True},
    fields.File: _fixed(format="binary"),
}


def schema_of(field: Any) -> Schema:
    """Return the schema of a strict field, without null and description."""
    kind = next(kind for kind in type(field).__mro__ if kind in _SCHEMAS)
    schema = _SCHEMAS[kind](field)
    return schema if field.example is None else {**schema, "examples": [field.example]}


class StrictFieldExtension(OpenApiSerializerFieldExtension):
    """Strict fields, each by its class."""

    target_class = "restartix.kernel.api.fields.base.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        """Write the field; a choices class becomes a component of its own, so that its name is stable."""
        field = self.target
        if not isinstance(field, fields.Choice):
            return schema_of(field)
        if field.choices_class is None:
            return {"type": "string", "enum": list(field.choices)}
        return enumeration(auto_schema, field.choices_class)


def enumeration(auto_schema: AutoSchema, choices: Any) -> Schema:
    """Return the reference to the component of a choices class."""
    component = ResolvedComponent(
        name=choices.__name__,
        type=ResolvedComponent.SCHEMA,
        schema={
            "type": "string",
            "enum": [str(value) for value in choices.values],
            "description": _first_line(choices),
        },
        object=choices,
    )
    auto_schema.registry.register_on_missing(component)
    return dict(component.ref)


def _first_line(kind: type) -> str:
    return (kind.__doc__ or kind.__name__).strip().splitlines()[0]


class ComputedExtension(OpenApiSerializerFieldExtension):
    """Computed values, written like their result."""

    target_class = "restartix.kernel.api.fields.derived.Computed"
    priority = 1

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        """Write the result's field."""
        return dict(auto_schema._map_serializer_field(self.target.result, direction))  # noqa: SLF001 (as for lists)


class PartExtension(OpenApiSerializerFieldExtension):
    """Objects made of the row's own columns, written like their shape."""

    target_class = "restartix.kernel.api.fields.derived.Part"
    priority = 1

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        """Write the shape."""
        return dict(auto_schema._map_serializer_field(self.target.shape, direction))  # noqa: SLF001 (as for lists)


class ListOfExtension(OpenApiSerializerFieldExtension):
    """Lists with their bounds."""

    target_class = "restartix.kernel.api.fields.containers.ListOf"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> Schema:
        """Write the list."""
        field = self.target
        items = auto_schema._map_serializer_field(field.child, direction)  # noqa: SLF001 (spectacular's own way for lists)
        bounds: Schema = {"minItems": field.min_items} if field.min_items else {}
        unique: Schema = {"uniqueItems": True} if field.unique else {}
        return {"type": "array", "items": items, "maxItems": field.max_items, **bounds, **unique}
