"""Visits that the desk makes itself: for a patient of the clinic, or for somebody who is none yet and stands there.

Source: contract/scheduling.md 3.1 (POST, from-template, onboard).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.organizations.models import Organization
from apps.profiles.models import Patient, Specialist
from apps.profiles.selectors.consents import missing_types
from apps.profiles.services import patients
from apps.scheduling.errors import ConsentRequired
from apps.scheduling.models import Appointment, AppointmentTemplate, TemplateSpecialist
from apps.scheduling.models.appointments import Source
from apps.scheduling.services import appointments
from restartix.kernel.tenancy import Actor, active_organization_id


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is no patient yet: fields of the person, and the consents signed on paper."""

    person: dict[str, Any]
    consents: list[str] = field(default_factory=list)


@transaction.atomic
def make_visit(
    *,
    specialist: Specialist,
    started_at: datetime,
    by: Actor,
    patient: Patient | None = None,
    newcomer: Newcomer | None = None,
    template: AppointmentTemplate | None = None,
    minutes: int | None = None,
    **details: Any,
) -> Appointment:
    """Make an appointment for a patient, or for a newcomer whose file it opens; all of it or nothing.

    A `template` that the specialist offers brings its forms, unless the visit lasts other `minutes`. A newcomer is
    taken in as onboarding would: every consent that the clinic requires has to be there.
    Raises ConsentRequired (409), what `patients.register` raises of a person, and what `appointments.create` raises.
    """
    if patient is None:
        patient = _taken_in(newcomer or Newcomer({}), by=by)
    source = Source.STAFF
    if template is not None and minutes in (None, template.duration_minutes) and _offers(specialist, template):
        source, minutes = Source.TEMPLATE, None
    return appointments.create(
        patient=patient,
        specialist=specialist,
        started_at=started_at,
        ended_at=started_at + timedelta(minutes=minutes) if minutes else None,
        template=template,
        source=source,
        by=by,
        **details,
    )


def _taken_in(newcomer: Newcomer, *, by: Actor) -> Patient:
    agreed = [{"type": kind, "method": "paper"} for kind in newcomer.consents]
    patient = patients.register(by=by, person=newcomer.person, consents=agreed)
    missing = missing_types(patient, Organization.objects.get(pk=active_organization_id()))
    if missing:
        raise ConsentRequired(details={"missing": missing})
    return patient


def _offers(specialist: Specialist, template: AppointmentTemplate) -> bool:
    """Tell whether the template may be booked with the specialist (contract/scheduling.md 3.1, from-template)."""
    offers = TemplateSpecialist.objects.filter(template=template, specialist=specialist, is_active=True)
    return template.is_active and offers.exists()
