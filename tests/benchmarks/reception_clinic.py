"""The clinic at whose desk the reception benchmark works: one full day, and staff who are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SPECIALISTS, VISITS_EACH, MINUTES = 12, 20, 30
#: Half-hours from 07:00 to 20:00; the first 20 are taken, so that 6 of each specialist are left to be booked.
OPENS, CLOSES = 7, 20
ZONE = ZoneInfo("Europe/Bucharest")


@dataclass(frozen=True, slots=True)
class Clinic:
    """One day, what of it may still be booked or moved, and who looks at it."""

    organization: int
    day: date
    template: int
    #: The ids of the appointments, and the starts that are free: each once for every specialist.
    visits: Sequence[int]
    free: Sequence[datetime]
    #: Session cookies of the staff.
    cookies: Sequence[str]


def fill(*, staff: int) -> Clinic:
    """Make the clinic; Django is set up already."""
    from apps.scheduling.services import appointments, templates
    from tests.make import organizations as make
    from tests.make import profiles

    clinic = make.organization("reception", name="Recepție")
    weekly = [{"day": day, "start": f"{OPENS:02}:00", "end": f"{CLOSES:02}:00"} for day in range(7)]
    people = [profiles.specialist(clinic, f"Specialist {number:02}", weekly=weekly) for number in range(SPECIALISTS)]
    day = datetime.now(ZONE).date() + timedelta(days=3)
    starts = [_at(day, number) for number in range((CLOSES - OPENS) * 60 // MINUTES)]
    with make.within(clinic):
        given: dict[str, Any] = {"duration_minutes": MINUTES, "is_public": True, "min_notice_minutes": 0}
        offered = templates.create(by=make.SYSTEM, name="Ședință", **given)
        offers = [{"specialist_id": each.pk, "priority": place + 1} for place, each in enumerate(people)]
        templates.attach_specialists(offered, offers, by=make.SYSTEM)
    visits = []
    for place, person in enumerate(people):
        for number in range(VISITS_EACH):
            who = profiles.patient(clinic, f"Pacient {place:02}-{number:02}")
            with make.within(clinic):
                made = appointments.create(
                    patient=who, specialist=person, started_at=starts[number], by=make.SYSTEM, template=offered
                )
            visits.append(made.pk)
    users = [make.user(f"Desk Number{number}") for number in range(staff)]
    for user in users:
        make.member(clinic, user, "customer_support")
    free = [start for start in starts[VISITS_EACH:] for _ in people]
    return Clinic(clinic.pk, day, offered.pk, visits, free, [_session(user) for user in users])


def _at(day: date, number: int) -> datetime:
    begins = datetime(day.year, day.month, day.day, OPENS, tzinfo=ZONE).astimezone(UTC)
    return begins + timedelta(minutes=MINUTES * number)


def _session(user: Any) -> str:
    """Sign in as the back office does, and return the cookie."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def ids_of(clinic: Clinic, uids: Sequence[str]) -> dict[str, int]:
    """Return the appointments' ids by their uids."""
    from apps.scheduling.models import Appointment
    from restartix.kernel.tenancy import Actor, acting_for

    with acting_for(clinic.organization, actor=Actor.system("benchmark")):
        return {str(uid): pk for uid, pk in Appointment.objects.filter(uid__in=uids).values_list("uid", "pk")}
