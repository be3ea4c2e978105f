"""A person as a caller may see one: everything behind the gate stays there until the person shares it.

Applied where an answer is built, for the API, exports, search and PDFs alike.
Source: contract/profiles.md 1.1 ("Gate").
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery

from apps.organizations.models import ConsentType
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient, PatientPerson, Specialist
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor

#: What staff see of a person who shares nothing.
NAMED = ("id", "user_id", "name")
SHARED = (
    "email", "date_of_birth", "sex", "phone", "occupation", "residence", "blood_type", "allergies",
    "chronic_conditions", "emergency_contact_name", "emergency_contact_phone", "insurance_entries", "created_at",
    "updated_at",
)  # fmt: skip


def is_open(patient: Any) -> bool:
    """Say whether a caller may see the whole person of a patient that `PatientQuerySet.seen_by` that caller gave."""
    return bool(patient.is_own) or ConsentType.PROFILE_SHARING in patient.active_types


def is_shared(patient: Patient) -> bool:
    """Say whether the gate of this patient's person is open at this clinic, now."""
    active = ConsentRecord.objects.filter(patient=patient, status=ConsentStatus.ACTIVE)
    return active.filter(type=ConsentType.PROFILE_SHARING).exists()


def person_as_seen(patient: Patient, actor: Actor, *, today: date) -> dict[str, Any]:
    """Return the person's fields that `actor` may read: the person and caregivers all, staff three while not shared.

    Whoever is neither sees nothing: the caller has found the patient among those visible to `actor`.
    """
    if Patient.objects.own(actor, today=today).filter(pk=patient.pk).exists():
        return whole(patient.person)
    if actor.effective_role not in STAFF:
        return {}
    return whole(patient.person) if is_shared(patient) else named(patient.person)


def named(person: PatientPerson) -> dict[str, Any]:
    """Return what stands before the gate; the other keys are absent, not null."""
    return {field: getattr(person, field) for field in NAMED}


def whole(person: PatientPerson) -> dict[str, Any]:
    """Return every field."""
    return {field: getattr(person, field) for field in (*NAMED, *SHARED)}


def specialist_of_member() -> Subquery:
    """Return, as SQL, the id of the specialist that a membership's user is in the same organization."""
    return Subquery(
        Specialist.objects.alive()
        .filter(user_id=OuterRef("user_id"), organization_id=OuterRef("organization_id"))
        .values("pk")[:1]
    )


def patient_of_member() -> Subquery:
    """Return, as SQL, the id of the patient that a membership's user is in the same organization."""
    return Subquery(
        Patient.objects.alive()
        .filter(person__user_id=OuterRef("user_id"), organization_id=OuterRef("organization_id"))
        .values("pk")[:1]
    )
