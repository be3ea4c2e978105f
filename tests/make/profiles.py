"""Specialists, specialties and patients."""

from __future__ import annotations

from typing import Any

from apps.organizations.models import Organization, User
from apps.profiles.models import ConsentRecord, Patient, Specialist, Specialty
from apps.profiles.services import availability, consents, patients, specialists, specialties
from tests.make.organizations import SYSTEM, within

#: Monday to Friday, nine to five.
OFFICE_HOURS = [{"day": day, "start": "09:00", "end": "17:00"} for day in range(5)]


def specialty(organization: Organization, title: str = "Kinetoterapie", slug: str = "kinetoterapie") -> Specialty:
    """A field of work."""
    with within(organization):
        return specialties.create(by=SYSTEM, title=title, slug=slug)


def specialist(organization: Organization, name: str, *, user: User | None = None, **fields: Any) -> Specialist:
    """A specialist; with a `weekly` the specialist is bookable, in Bucharest's time unless a zone is given."""
    weekly, zone = fields.pop("weekly", None), fields.pop("timezone", "Europe/Bucharest")
    with within(organization):
        made = specialists.create(by=SYSTEM, name=name, user_id=user.pk if user else None, **fields)
        if weekly is None:
            return made
        return availability.replace(made, by=SYSTEM, timezone=zone, active=True, weekly=weekly, overrides=[])


def patient(organization: Organization, name: str, *, user: User | None = None, **person: Any) -> Patient:
    """A patient of the clinic, with an account if a user is given."""
    with within(organization):
        return patients.register(by=SYSTEM, person={"name": name, **person}, user=user)


def consent(patient: Patient, type: str, method: str = "paper") -> ConsentRecord:  # noqa: A002
    """An active consent."""
    with within(patient.organization):
        return consents.grant(patient=patient, type=type, method=method, by=SYSTEM).record
