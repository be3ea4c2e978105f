"""Examples that look like a clinic's data, made from the declared fields."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from restartix.kernel.api import fields

#: What fields of these names hold in the contract's examples.
_BY_NAME: dict[str, Any] = {
    "name": "Maria Ionescu",
    "title": "First consultation",
    "slug": "first-consultation",
    "email": "maria@example.org",
    "phone": "+40721000111",
    "color": "#3B82F6",
    "primary_color": "#0A7B83",
    "timezone": "Europe/Bucharest",
    "scheduling_timezone": "Europe/Bucharest",
    "locale": "ro",
    "currency": "RON",
    "price": "180.00",
    "organization_id": 7,
    "appointment_template_id": 12,
    "specialist_id": 5,
    "patient_id": 501,
    "duration_minutes": 50,
    "gap_minutes": 10,
    "domain": "portal.clinica-sud.example",
    "started_at": "2026-12-07T08:00:00Z",
    "ended_at": "2026-12-07T08:50:00Z",
    "start": "2026-12-07T08:00:00Z",
    "end": "2026-12-07T08:50:00Z",
    "local_date": "2026-12-07",
    "local_time": "10:00",
    "utc_offset": "+02:00",
    "hold_token": "q3V1bGxv0bGVhc2VkbyBub3QgcmVhZCB0aGlzIHRva2",
    "reason": "The patient asked for another day.",
    "notes": "Left knee, after surgery.",
    "description": "A first look, and a plan.",
    "location": "Bucuresti",
}
_BY_KIND: dict[type, Any] = {
    fields.Uuid: "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21",
    fields.Email: "maria@example.org",
    fields.Phone: "+40721000111",
    fields.Url: "https://clinica-sud.example/",
    fields.Colour: "#3B82F6",
    fields.TimeZone: "Europe/Bucharest",
    fields.Currency: "RON",
    fields.Country: "RO",
    fields.Locale: "ro",
    fields.Slug: "first-consultation",
    fields.Boolean: True,
    fields.Money: "180.00",
    fields.Instant: "2026-12-01T10:00:00Z",
    fields.Date: "2026-12-01",
    fields.TimeOfDay: "09:00",
    fields.Object: {},
    serializers.BooleanField: True,
    serializers.IntegerField: 1,
    serializers.FloatField: 1.5,
    serializers.UUIDField: "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21",
    serializers.DateTimeField: "2026-12-01T10:00:00Z",
    serializers.DateField: "2026-12-01",
    serializers.DecimalField: "180.00",
    serializers.JSONField: {},
    serializers.DictField: {},
}


def example_of(serializer: Any) -> Any:
    """Return an example of what a serializer (or its class) reads or writes."""
    instance = serializer() if isinstance(serializer, type) else serializer
    if isinstance(instance, serializers.ListSerializer):
        return [example_of(instance.child)]
    if not isinstance(instance, serializers.Serializer):
        return _of_field("", instance)
    return {
        name: _of_field(name, field) for name, field in instance.fields.items() if not isinstance(field, fields.File)
    }


def _of_field(name: str, field: Any) -> Any:
    if (stated := getattr(field, "example", None)) is not None:
        return stated
    if isinstance(field, fields.Computed | fields.Part):
        return _of_field(name, field.result if isinstance(field, fields.Computed) else field.shape)
    if isinstance(field, serializers.BaseSerializer):
        return example_of(field)
    if isinstance(field, serializers.ListField):
        return [_of_field("", field.child)]
    if choices := getattr(field, "choices", None):
        return next(iter(choices))
    return _of_value(name, field)


def _of_value(name: str, field: Any) -> Any:
    if isinstance(field, fields.Integer):
        return _whole_number(name, field)
    if name in _BY_NAME and not isinstance(field, fields.Boolean):
        return _BY_NAME[name]
    kind = next((kind for kind in type(field).__mro__ if kind in _BY_KIND), None)
    return _BY_KIND[kind] if kind else _text(name, field)


def _whole_number(name: str, field: fields.Integer) -> int:
    wanted = _BY_NAME.get(name, 12)
    return max(field.min_value, min(int(wanted) if isinstance(wanted, int) else 12, field.max_value))


def _text(name: str, field: Any) -> Any:
    if isinstance(field, serializers.SerializerMethodField):
        return None
    text = name.replace("_", " ") or "text"
    return text[: getattr(field, "max_length", None) or len(text)]
