"""Custom field values of patients and specialists, as `include=custom_field_values` embeds them.

Which fields a clinic has is the business of an app above this one, which says in its `AppConfig.ready` how to fetch the
values and how to write them. A resource that shows them needs three lines:

    includes = {..., "custom_field_values": custom_values.of_patients.prepare}

    on_request = (..., "custom_field_values")
    custom_field_values = serializers.SerializerMethodField()

    def get_custom_field_values(self, patient: Patient) -> list[ProfileValue]:
        return custom_values.of_patients.values(patient, self.context)

Source: contract/profiles.md 1.2, 1.7, 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from restartix.kernel.api import fields
from restartix.kernel.api.includes import Prepare
from restartix.kernel.api.serializers import Representation

#: Takes a row that was prepared and the context of the serializer, the same for all rows of one answer.
Write = Callable[[Any, Mapping[str, Any]], list[Any]]


class ProfileValue(Representation):
    """One custom field and the value that somebody has of it, null when unset."""

    examples = {
        "custom_field_id": 31, "key": "pain_level", "label": "Pain (0-10)", "field_type": "number", "options": [],
        "is_private": False, "value": 4,
    }  # fmt: skip

    custom_field_id = fields.Id()
    key = fields.Text(max_length=63)
    label = fields.Text(max_length=200)  # type: ignore[assignment]  # a declared field, not the label of this one
    field_type = fields.Text(max_length=10)
    options = fields.ListOf(fields.Object(), max_items=100)
    is_private = fields.Boolean()
    value = serializers.JSONField()  # of any type, null among them
    updated_at = fields.Instant(allow_null=True)


class CustomValues:
    """How the custom field values of one kind of row are fetched and written."""

    def __init__(self) -> None:
        """Begin without values: there are none until somebody says where they are kept."""
        self._prepare: Prepare = lambda queryset: queryset
        self._write: Write = lambda row, context: []

    def are_kept_by(self, *, prepare: Prepare, write: Write) -> None:
        """Let `prepare` fetch the values with the rows, and `write` give those that the caller may see."""
        self._prepare, self._write = prepare, write

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Fetch the values with the rows, by the same number of queries however many there are."""
        return self._prepare(queryset)

    def values(self, row: Model, context: Mapping[str, Any]) -> list[ProfileValue]:
        """Return what `ProfileValue` writes, for every field in its order."""
        return self._write(row, context)


of_patients = CustomValues()
of_specialists = CustomValues()
