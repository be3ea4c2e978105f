"""Custom field values as profiles show them: every field in its order, with what somebody has of it.

Source: contract/profiles.md 2.1, 2.2; contract/forms.md 1.5.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from apps.forms.models import CustomField, CustomFieldValue, EntityType
from apps.profiles.models import Patient, Specialist
from restartix.kernel.roles import ADMINS, Role
from restartix.kernel.tenancy import Actor


class Answer(NamedTuple):
    """One field and somebody's value of it, None when unset."""

    custom_field_id: int
    key: str
    label: str
    field_type: str
    options: list[dict[str, str]]
    is_private: bool
    value: object
    updated_at: datetime | None


def sees_private(actor: Actor, entity_type: str) -> bool:
    """Say whether the caller sees private fields: of patients all staff, of specialists admins alone."""
    if entity_type == EntityType.PATIENT:
        return actor.effective_role != Role.PATIENT
    return actor.effective_role in ADMINS


def fields_of(entity_type: str, *, private: bool) -> list[CustomField]:
    """Return the fields of an entity in their order, of every organization in scope."""
    rows = CustomField.objects.alive().filter(entity_type=entity_type).in_order()
    return list(rows if private else rows.filter(is_private=False))


def answers(fields: Iterable[CustomField], stored: Iterable[CustomFieldValue]) -> list[Answer]:
    """Return each field with its value among `stored`."""
    by_field = {value.custom_field_id: value for value in stored}
    return [_answer(field, by_field.get(field.pk)) for field in fields]


def _answer(field: CustomField, stored: CustomFieldValue | None) -> Answer:
    return Answer(
        custom_field_id=field.pk,
        key=field.key,
        label=field.label,
        field_type=field.field_type,
        options=field.options,
        is_private=field.is_private,
        value=stored.value if stored else None,
        updated_at=stored.updated_at if stored else None,
    )


def values_of_patient(patient: Patient, *, private: bool) -> list[Answer]:
    """Return every field of patients with this one's value; without `private` what the patient may see."""
    return _profile(EntityType.PATIENT, patient, private=private)


def values_of_specialist(specialist: Specialist, *, private: bool) -> list[Answer]:
    """Return every field of specialists with this one's value; without `private` what all of the staff may see."""
    return _profile(EntityType.SPECIALIST, specialist, private=private)


def _profile(entity_type: EntityType, row: Patient | Specialist, *, private: bool) -> list[Answer]:
    fields = [
        field for field in fields_of(entity_type, private=private) if field.organization_id == row.organization_id
    ]
    return answers(fields, CustomFieldValue.objects.filter(**{str(entity_type): row}))
