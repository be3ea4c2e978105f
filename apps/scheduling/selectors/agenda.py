"""The visits of a day, one after the other, each with what is known of the patient: for My day and for paper.

Two statements for any number of visits; phones of people who do not share their profile stay behind the gate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from apps.profiles.models.search import shares_profile
from apps.scheduling.domain.zones import span
from apps.scheduling.lifecycles import ACTIVE, AppointmentStatus
from apps.scheduling.models import Appointment
from restartix.kernel.tenancy import Actor

#: These did not or will not take place.
OFF = (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW)
#: No appointment lasts longer, so that a day's are found by their starts, which have an index.
LONGEST = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Visit:
    """An appointment of the day; `last` is the patient's last visit before that day that the caller may see."""

    appointment: Appointment
    name: str
    phone: str
    last: Appointment | None = None

    @property
    def is_off(self) -> bool:
        """Whether it does not take place."""
        return self.appointment.status in OFF

    @property
    def is_open(self) -> bool:
        """Whether it still has to begin or to end."""
        return self.appointment.status in ACTIVE

    @property
    def is_under_way(self) -> bool:
        """Whether the patient is being treated."""
        return self.appointment.status == AppointmentStatus.INPROGRESS


def agenda(
    day: date, *, timezone: str, actor: Actor, specialist_id: int | None = None, with_last: bool = False
) -> list[Visit]:
    """Return what touches the local date `day` in `timezone` of what `actor` may see, by specialist and time."""
    start, end = (datetime.fromtimestamp(second, UTC) for second in span(timezone, day, day))
    seen: Any = Appointment.objects.visible_to(actor, today=day)
    rows = seen.filter(started_at__lt=end, ended_at__gt=start, started_at__gt=start - LONGEST)
    if specialist_id is not None:
        rows = rows.filter(specialist=specialist_id)
    rows = rows.select_related("specialist", "patient__person", "appointment_template")
    found = list(
        rows.annotate(shares=shares_profile()).order_by("specialist__name", "specialist_id", "started_at", "pk")
    )
    last = _last_before(start, found, actor) if with_last else {}
    return [Visit(row, _name(row), _phone(row), last.get(row.patient_id)) for row in found]


def _last_before(start: datetime, rows: Iterable[Appointment], actor: Actor) -> dict[int | None, Appointment]:
    """Return each patient's last visit before `start`, by the patient's id."""
    seen: Any = Appointment.objects.visible_to(actor, today=start.date())
    past = seen.filter(
        patient__in={row.patient_id for row in rows if row.patient_id},
        status=AppointmentStatus.DONE,
        started_at__lt=start,
    )
    ordered = past.select_related("specialist").order_by("patient_id", "-started_at", "-pk")
    return {row.patient_id: row for row in ordered.distinct("patient_id")}


def _name(row: Appointment) -> str:
    return row.patient.person.name if row.patient else row.contact_name or ""


def _phone(row: Any) -> str:
    """Return the number that was left with the booking, else the one on file of a person who shares it."""
    on_file = row.patient.person.phone if row.patient and row.shares else None
    return str(row.contact_phone or on_file or "")
