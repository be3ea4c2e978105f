"""Examples that look like a clinic's data, made from the declared fields."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from rest_framework import serializers

from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation

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
    "line1": "Str. Lunga 10",
    "line2": "Etaj 2",
    "city": "Brasov",
    "county": "Brasov",
    "postal_code": "500035",
    "tagline": "Back on your feet.",
    "username": "maria.ionescu",
    "note": "Conference in Cluj.",
    "patient_notes": "Ramp at the side entrance.",
    "comment": "Clear and patient.",
    "version": "2026-01",
    "policy_version": "2026-01",
    "external_reference": "EXT-1024",
    "number": "FT-12345",
    "issuing_body": "Colegiul Fizioterapeutilor din Romania",
    "specialty": "Knee rehabilitation",
    "room_name": "org-7-appointment-41",
    "room_url": "https://video.example/org-7-appointment-41",
    "manage_token": "41f3b0c2a8d94e6e9b1d7c55e0a27f60",
    "stars": 5,
    "priority": 0,
    "sort_order": 0,
    "slot_step_minutes": 30,
    "min_notice_minutes": 120,
    "horizon_days": 60,
    "cancel_cutoff_hours": 24,
    "low_rating_threshold": 2,
    "appointment_reminder_hours": 24,
    "day": 0,
    "reschedule_count": 0,
    "user_id": 31,
    "specialty_id": 3,
    "form_template_id": 8,
    "created_at": "2026-12-01T10:00:00Z",
    "updated_at": "2026-12-01T10:00:00Z",
    "expires_at": "2026-12-01T10:10:00Z",
    "max_expires_at": "2026-12-01T10:30:00Z",
    "cancel_until": "2026-12-06T08:00:00Z",
    "issued_on": "2024-02-01",
    "expires_on": "2029-02-01",
    "from": "2026-12-01",
    "to": "2026-12-14",
    "lease_seconds": 600,
    "specialist_name": "Dr. Ana Popa",
    "avatar_url": "https://clinica-sud.example/v1/public/images/8c1f0c7be2a94d3f.webp",
    "logo_url": "https://clinica-sud.example/v1/public/images/2b7d10aa41c64e0f.png",
    "icon_url": "https://clinica-sud.example/v1/public/images/77e05d2f9b1c4a68.png",
    "signature_url": None,
    "status": "upcoming",
    "appointment_id": 41,
    "appointment_uid": "6c1b2a3e-6f2e-4c59-8a39-0b7f5d1c9e21",
    "scheduled_at": "2026-12-07T08:00:00Z",
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
    fields.File: "portrait.jpg",
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
_BY_TYPE: dict[Any, Any] = {bool: True, int: 12, float: 1.5, dict: {}}


def example_of(serializer: Any) -> Any:
    """Return an example of what a serializer (or its class) reads or writes."""
    instance = serializer() if isinstance(serializer, type) else serializer
    if isinstance(instance, serializers.ListSerializer):
        return [example_of(instance.child)]
    if not isinstance(instance, serializers.Serializer):
        return _of_field("", instance)
    stated = getattr(instance, "examples", {})
    return {name: stated[name] if name in stated else _of_field(name, field) for name, field in instance.fields.items()}


def _of_field(name: str, field: Any) -> Any:
    if (stated := getattr(field, "example", None)) is not None:
        return stated
    if isinstance(field, serializers.BaseSerializer):
        return example_of(field)
    if isinstance(field, serializers.ListField):
        return [_of_field("", field.child)]
    if isinstance(field, fields.Computed | fields.Part | serializers.SerializerMethodField):
        return _of_derived(name, field)
    choices = getattr(field, "choices", None)
    return next(iter(choices)) if choices else _of_value(name, field)


def _of_derived(name: str, field: Any) -> Any:
    if isinstance(field, serializers.SerializerMethodField):
        return example_of_type(name, _type_of(field))
    return _of_field(name, field.result if isinstance(field, fields.Computed) else field.shape)


def _type_of(field: serializers.SerializerMethodField) -> Any:
    method = getattr(field.parent, field.method_name or f"get_{field.field_name}")
    return get_type_hints(method)["return"]


def example_of_type(name: str, hint: Any) -> Any:
    """Return an example of an annotated value: `list[Offer]`, `LicenseStatus`, `int | None`."""
    wanted, *_ = _alternatives(hint)
    origin = get_origin(wanted) or wanted
    if origin in {list, tuple}:
        return [example_of_type("", get_args(wanted)[0])]
    if origin is Literal:
        return get_args(wanted)[0]
    if not isinstance(origin, type) or origin is NoneType:
        return None
    if issubclass(origin, Representation):
        return example_of(origin(context={"include": origin.on_request}))
    return str(next(iter(origin)).value) if issubclass(origin, enum.Enum) else _of_plain(name, origin)


def _alternatives(hint: Any) -> Iterator[Any]:
    """Yield what a hint allows; null last."""
    kinds = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    yield from sorted(kinds, key=lambda kind: kind is NoneType)


def _of_plain(name: str, kind: type) -> Any:
    known = _BY_NAME.get(name, "")
    if name in _BY_NAME and (known is None or type(known) is kind):
        return known
    return _BY_TYPE[kind] if kind in _BY_TYPE else name.replace("_", " ") or "text"


def _of_value(name: str, field: Any) -> Any:
    if isinstance(field, fields.Integer):
        return _whole_number(name, field)
    if name in _BY_NAME and _takes(field, _BY_NAME[name]):
        return _BY_NAME[name]
    kind = next((kind for kind in type(field).__mro__ if kind in _BY_KIND), None)
    return _BY_KIND[kind] if kind else _text(name, field)


def _takes(field: Any, value: Any) -> bool:
    """Say whether the field reads the value that its name suggests: `start` is an instant here, a time of day there."""
    try:
        field.to_internal_value(value)
    except serializers.ValidationError:
        return False
    return True


def _whole_number(name: str, field: fields.Integer) -> int:
    wanted = _BY_NAME.get(name, 12)
    return max(field.min_value, min(int(wanted) if isinstance(wanted, int) else 12, field.max_value))


def _text(name: str, field: Any) -> Any:
    text = name.replace("_", " ") or "text"
    return text[: getattr(field, "max_length", None) or len(text)]
