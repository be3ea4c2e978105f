"""What the operations of custom fields give. Source: contract/forms.md 1.5, 3; contract/profiles.md 2.1, 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers

from apps.forms.models import CustomField, CustomFieldType, CustomFieldValue, EntityType
from apps.forms.selectors import values
from apps.profiles.api import custom_values
from apps.profiles.api.custom_values import ProfileValue
from apps.profiles.models import Patient, Specialist
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation

_PREFETCHED = "values_by_field"
_SHARED = "custom_fields"


class _Asked(Representation):
    """What a field asks."""

    label = fields.Text(max_length=200)  # type: ignore[assignment]  # a declared field, not the label of this one
    field_type = fields.Choice(CustomFieldType)
    options = fields.ListOf(fields.Object(), max_items=100)
    validation = fields.Object()
    is_private = fields.Boolean()


class CustomFieldShape(_Asked):
    """A field of the clinic's own."""

    examples = {
        "id": 31, "entity_type": "patient", "key": "pain_level", "label": "Pain (0-10)", "field_type": "number",
        "options": [], "validation": {"min": 0, "max": 10, "decimals": 0}, "description": "", "is_private": False,
        "sort_order": 30, "system_key": None, "version": 1,
    }  # fmt: skip

    id = fields.Id()
    organization_id = fields.Id()
    entity_type = fields.Choice(EntityType)
    key = fields.Text(max_length=63)
    description = fields.Text(max_length=1000, min_length=0)
    sort_order = fields.Integer(min_value=0, max_value=10_000)
    system_key = fields.Text(max_length=63, allow_null=True)
    version = fields.Integer(min_value=1)
    created_at = fields.Instant()
    updated_at = fields.Instant()


class Author(Representation):
    """Who made a version."""

    id = fields.Id()
    name = fields.Text(max_length=200)


class CustomFieldVersionShape(_Asked):
    """What a field asked from one moment on."""

    examples = {
        "version": 1, "label": "Pain (0-10)", "field_type": "number", "options": [],
        "validation": {"min": 0, "max": 10, "decimals": 0}, "is_private": False,
    }  # fmt: skip

    version = fields.Integer(min_value=1)
    created_at = fields.Instant()
    created_by = Author(allow_null=True)


class PatientProfile(Representation):
    """A patient's custom field values: every field in its order."""

    patient_id = fields.Id(source="pk")
    values = serializers.SerializerMethodField()

    def get_values(self, patient: Patient) -> list[ProfileValue]:
        """Return the fields that the caller may see, each with its value."""
        private = values.sees_private(self.context["actor"], EntityType.PATIENT)
        return _written(values.values_of_patient(patient, private=private))


class SpecialistProfile(Representation):
    """A specialist's custom field values: every field in its order."""

    specialist_id = fields.Id(source="pk")
    values = serializers.SerializerMethodField()

    def get_values(self, specialist: Specialist) -> list[ProfileValue]:
        """Return the fields that the caller may see, each with its value."""
        private = values.sees_private(self.context["actor"], EntityType.SPECIALIST)
        return _written(values.values_of_specialist(specialist, private=private))


def _written(answers: list[values.Answer]) -> list[Any]:
    return list(ProfileValue(answers, many=True).data)


def register() -> None:
    """Embed the values in patients and specialists; called once at start."""
    custom_values.of_patients.are_kept_by(prepare=_with_values, write=_writer(EntityType.PATIENT))
    custom_values.of_specialists.are_kept_by(prepare=_with_values, write=_writer(EntityType.SPECIALIST))


def _with_values(queryset: QuerySet[Any]) -> QuerySet[Any]:
    stored = Prefetch("custom_field_values", CustomFieldValue.objects.all(), to_attr=_PREFETCHED)
    return queryset.prefetch_related(stored)


def _writer(entity_type: EntityType) -> custom_values.Write:
    def write(row: Any, context: Mapping[str, Any]) -> list[Any]:
        known = _fields_of_the_answer(entity_type, context).get(row.organization_id, [])
        return _written(values.answers(known, getattr(row, _PREFETCHED)))

    return write


def _fields_of_the_answer(
    entity_type: EntityType, context: Mapping[str, Any]
) -> Mapping[int | None, list[CustomField]]:
    """Return the fields that the caller may see, by organization, read once for all rows of an answer."""
    shared = cast("dict[str, Any]", context)  # one dictionary for all rows of an answer
    if _SHARED not in shared:
        grouped: dict[int | None, list[CustomField]] = {}
        for field in values.fields_of(entity_type, private=values.sees_private(context["actor"], entity_type)):
            grouped.setdefault(field.organization_id, []).append(field)
        shared[_SHARED] = grouped
    return cast("Mapping[int | None, list[CustomField]]", shared[_SHARED])
