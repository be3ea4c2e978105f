"""Likeness: the contact of a booking beside the patients who may be the same human, as far as the clinic may see them.

Source: contract/scheduling.md 4 (9), contract/profiles.md 1.1 ("Gate").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Max, Q

from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.selectors import search
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.candidates import Candidate


@dataclass(frozen=True, slots=True)
class Likeness:
    """One patient beside the contact: what is known, in what they are alike, and what they agreed to already."""

    patient: Patient
    matched_on: Collection[str]
    is_shared: bool
    #: The login's e-mail, else that on file; None where there is none or it is not shared.
    email: str | None
    phone: str | None
    date_of_birth: date | None
    visits: int
    last_visit: datetime | None
    agreed: Collection[str]


def likenesses(found: Iterable[Candidate]) -> list[Likeness]:
    """Return each of the candidates as the clinic may see them; three statements, however many there are."""
    listed = list(found)
    people = [candidate.patient for candidate in listed]
    shared, visits, agreed = search.sharing(people), _visits(people), _agreed(people)
    return [_likeness(each, shared, visits, agreed) for each in listed]


def _likeness(
    candidate: Candidate,
    shared: Collection[int],
    visits: dict[int, tuple[int, datetime]],
    agreed: dict[int, set[str]],
) -> Likeness:
    patient, person = candidate.patient, candidate.patient.person
    is_shared = patient.pk in shared
    login = person.user.email if person.user and person.user.deleted_at is None else None
    count, last = visits.get(patient.pk, (0, None))
    phone: str | None = person.phone  # type: ignore[assignment]
    return Likeness(
        patient=patient,
        matched_on=candidate.matched_on,
        is_shared=is_shared,
        email=login or (person.email if is_shared else None),
        phone=phone if is_shared else None,
        date_of_birth=person.date_of_birth if is_shared else None,
        visits=count,
        last_visit=last,
        agreed=agreed.get(patient.pk, set()),
    )


def _visits(people: Collection[Patient]) -> dict[int, tuple[int, datetime]]:
    """Return how often each was here, and when last."""
    were_here = Q(status__in=(AppointmentStatus.DONE, AppointmentStatus.INPROGRESS))
    rows = Appointment.objects.alive().filter(were_here, patient__in=people).order_by().values("patient")
    counted = rows.annotate(visits=Count("pk"), last=Max("started_at"))
    return {row["patient"]: (row["visits"], row["last"]) for row in counted}


def _agreed(people: Collection[Patient]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    active = ConsentRecord.objects.filter(patient__in=people, status=ConsentStatus.ACTIVE)
    for patient_id, kind in active.values_list("patient_id", "type"):
        found.setdefault(patient_id, set()).add(kind)
    return found
