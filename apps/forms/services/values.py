"""Custom field values: what patients and specialists have of a clinic's fields. Source: profiles.md 2.1, 2.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from apps.forms.domain.field_types import BadValue, read
from apps.forms.models import CustomField, CustomFieldValue, EntityType
from apps.organizations.models import Organization
from apps.organizations.services import facts
from apps.profiles.errors import SpecialistDeleted
from apps.profiles.facts import PatientUpdated
from apps.profiles.models import Patient, Specialist
from restartix.kernel import clock
from restartix.kernel.errors import Invalid
from restartix.kernel.tenancy import Actor, active_organization_id
from restartix.kernel.transactions import joins_transaction

PROFILE = "profile"
_UNKNOWN = "unknown field"
#: Held until the end of the transaction, so that nobody judges a value by a definition that is being replaced.
_HOLD = """
SELECT id FROM forms_customfield
 WHERE organization_id = %s AND entity_type = %s AND key = ANY(%s) AND deleted_at IS NULL
 ORDER BY id FOR SHARE
"""


@transaction.atomic
def write_patient(
    patient: Patient, values: Mapping[str, Any], *, by: Actor, private: bool, source: str = PROFILE
) -> None:
    """Set the values by the keys of their fields; empty ones are cleared, and `patient.updated` is told once.

    Holds the patient, then the fields. Raises Invalid (422) naming every value that its field does not take, by
    `values.<key>`, and nothing is written; without `private` a private field is an unknown one.
    """
    Patient.objects.select_for_update(no_key=True).get(pk=patient.pk)
    if _write(EntityType.PATIENT, patient, values, by=by, private=private, source=source):
        facts.record(PatientUpdated(patient.pk))


@transaction.atomic
def write_specialist(
    specialist: Specialist, values: Mapping[str, Any], *, by: Actor, private: bool, source: str = PROFILE
) -> None:
    """Set the values by the keys of their fields; empty ones are cleared. Holds the specialist, then the fields.

    Raises Invalid (422) naming every value that its field does not take, by `values.<key>`, and nothing is written;
    without `private` a private field is an unknown one. Raises SpecialistDeleted (409).
    """
    held = Specialist.objects.select_for_update(no_key=True).get(pk=specialist.pk)
    if held.deleted_at is not None:
        raise SpecialistDeleted
    _write(EntityType.SPECIALIST, specialist, values, by=by, private=private, source=source)


@joins_transaction
def _write(
    entity_type: EntityType,
    row: Patient | Specialist,
    values: Mapping[str, Any],
    *,
    by: Actor,
    private: bool,
    source: str,
) -> bool:
    """Write what differs from what is stored; return whether anything did."""
    fields = {field.key: field for field in _held_fields(entity_type, values) if private or not field.is_private}
    wanted = _judged(fields, values)
    stored = {
        each.custom_field_id: each
        for each in CustomFieldValue.objects.filter(**{str(entity_type): row}, custom_field_id__in=wanted)
    }
    differing = {
        field_id: value
        for field_id, value in wanted.items()
        if value != (stored[field_id].value if field_id in stored else None)
    }
    new = {"entity_type": entity_type, str(entity_type): row}
    _store(differing, stored, new, {"source": source, "updated_by_id": by.user_id})
    return bool(differing)


def _held_fields(entity_type: EntityType, values: Mapping[str, Any]) -> list[CustomField]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [active_organization_id(), str(entity_type), list(values)])
        ids = [field_id for (field_id,) in cursor.fetchall()]
    return list(CustomField.objects.filter(pk__in=ids))


def _judged(fields: Mapping[str, CustomField], values: Mapping[str, Any]) -> dict[int, Any]:
    """Return field id → value as it is stored. Raises Invalid (422) naming every problem."""
    today = Organization.objects.get(pk=active_organization_id()).today(clock.now())
    wanted: dict[int, Any] = {}
    problems: dict[str, list[str]] = {}
    for key, value in values.items():
        if key not in fields:
            problems[f"values.{key}"] = [_UNKNOWN]
            continue
        try:
            wanted[fields[key].pk] = read(fields[key].definition, value, today=today)
        except BadValue as error:
            problems[f"values.{key}"] = [str(error)]
    if problems:
        raise Invalid(problems)
    return wanted


@joins_transaction
def _store(
    differing: Mapping[int, Any],
    stored: Mapping[int, CustomFieldValue],
    new: Mapping[str, Any],
    written: Mapping[str, Any],
) -> None:
    """Delete, change and add rows, by three statements at most."""
    cleared = [field_id for field_id, value in differing.items() if value is None]
    if cleared:
        CustomFieldValue.objects.filter(pk__in=[stored[field_id].pk for field_id in cleared]).delete()
    changed = [stored[field_id] for field_id in differing if field_id in stored and field_id not in cleared]
    now = clock.now()
    for row in changed:
        row.value, row.updated_at = differing[row.custom_field_id], now
        row.source, row.updated_by_id = written["source"], written["updated_by_id"]
    CustomFieldValue.objects.bulk_update(changed, ["value", "source", "updated_by", "updated_at"])
    CustomFieldValue.objects.bulk_create(
        CustomFieldValue(custom_field_id=field_id, value=value, **new, **written)
        for field_id, value in differing.items()
        if value is not None and field_id not in stored
    )
