"""Writes the visits of a demo clinic's week: what is to come through the services, what has been as rows.

Services refuse to make the past, so its visits are written with the history and the moments that they would have had.
A later run brings the week up to date: new days come in, and visits that were still to come on a day that is over end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.organizations.models import Organization, User
from apps.profiles.models import Patient, Specialist
from apps.scheduling.domain.zones import span
from apps.scheduling.errors import SlotUnavailable
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.management.demo import outcomes
from apps.scheduling.management.demo.week import Visit, visits_around
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.models.appointments import Source
from apps.scheduling.services import appointments
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor

S = AppointmentStatus


@dataclass(frozen=True, slots=True)
class Clinic:
    """A clinic with what its visits are made of, read once."""

    organization: Organization
    admin: User
    patients: Sequence[Patient]
    specialists: Sequence[Specialist]
    templates: Sequence[AppointmentTemplate]
    offers: dict[int, list[int]]

    def patient_of(self, visit: Visit) -> Patient:
        """Return the visit's patient: every specialist has their own, so nobody is in two rooms at once."""
        place = [each.pk for each in self.specialists].index(visit.specialist.pk)
        own = self.patients[place :: len(self.specialists)]
        return own[(visit.place + visit.day.toordinal() * 5) % len(own)]


def fill(clinic: Clinic, *, by: Actor) -> int:
    """Write the visits that are missing, end those that are over, and return how many were written."""
    now = clock.now()
    visits = [visit for specialist in clinic.specialists for visit in _visits(clinic, specialist, now)]
    known = {row.uid: row for row in Appointment.objects.filter(uid__in=[visit.uid for visit in visits])}
    found = ((known[visit.uid], visit) for visit in visits if visit.uid in known)
    outcomes.settle(clinic.admin, found, before=_midnight(clinic.organization, now))
    missing = [visit for visit in visits if visit.uid not in known]
    over = [visit for visit in missing if visit.end <= now]
    outcomes.write(clinic.admin, [(_row(clinic, visit, now), visit) for visit in over])
    return len(over) + sum(_make(clinic, visit, now, by) for visit in missing if visit.end > now)


def _midnight(organization: Organization, now: datetime) -> datetime:
    today = organization.today(now)
    return datetime.fromtimestamp(span(organization.timezone, today, today)[0], UTC)


def _visits(clinic: Clinic, specialist: Specialist, now: datetime) -> Iterable[Visit]:
    offered = clinic.offers.get(specialist.pk, [])
    return visits_around(
        clinic.organization.today(now),
        clinic=clinic.organization.slug,
        timezone=clinic.organization.timezone,
        specialist=specialist,
        templates=[template for template in clinic.templates if template.pk in offered],
    )


def _row(clinic: Clinic, visit: Visit, now: datetime) -> Appointment:
    """Return the visit as an appointment that was made some days before it."""
    template = visit.template
    made_at = _made_at(visit, now)
    return Appointment(
        uid=visit.uid,
        status=S.UPCOMING,
        started_at=visit.start,
        ended_at=visit.end,
        specialist=visit.specialist,
        patient=clinic.patient_of(visit),
        **template.terms(),
        source=Source.TEMPLATE,
        timezone=clinic.organization.timezone,
        locale=clinic.organization.locale,
        created_at=made_at,
    )


def _made_at(visit: Visit, now: datetime) -> datetime:
    """Return when the appointment was made: one to eleven days before it, and not in the future."""
    before = timedelta(days=1 + int(visit.detail * 10), minutes=int(visit.fate * 400))
    return min(visit.start - before, now - timedelta(minutes=1 + int(visit.detail * 600)))


def _make(clinic: Clinic, visit: Visit, now: datetime, by: Actor) -> bool:
    """Make a visit that is not over; time that somebody has taken meanwhile stays theirs."""
    try:
        made = appointments.create(
            patient=clinic.patient_of(visit),
            specialist=visit.specialist,
            started_at=visit.start,
            template=visit.template,
            source=Source.TEMPLATE,
            by=by,
            uid=visit.uid,
            created_at=_made_at(visit, now),
            patient_notes=outcomes.patient_note(visit),
        )
    except SlotUnavailable:
        return False
    outcomes.bring_about(made, visit, clinic.admin, now=now)
    return True
