"""The calendar of a clinic: how much each day of a month holds, and what each day of a week holds.

One statement each, however much there is. An appointment stands on the local day of its start.
Source: contract/scheduling.md 3.2.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, F, Func, IntegerField, Max, Min, QuerySet, Value

from apps.scheduling.domain.zones import local_days
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment


@dataclass(frozen=True, slots=True)
class Range:
    """The local days from `first` to `last`, both included, in `timezone`."""

    first: date
    last: date
    timezone: str

    @classmethod
    def month(cls, day: date, timezone: str) -> Range:
        """Return the month in which `day` lies."""
        return cls(day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1]), timezone)

    @classmethod
    def week(cls, day: date, timezone: str) -> Range:
        """Return Monday to Sunday around `day`."""
        monday = day - timedelta(days=day.weekday())
        return cls(monday, monday + timedelta(days=6), timezone)

    @property
    def days(self) -> list[date]:
        """Every day of the range."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    @property
    def bounds(self) -> list[datetime]:
        """The instant at which each day begins, and that at which the last one ends; a skipped day is empty."""
        days = local_days(self.timezone, self.first.toordinal(), self.last.toordinal())
        return [datetime.fromtimestamp(second, UTC) for second in (*(day.start for day in days), days[-1].end)]


@dataclass(slots=True)
class Tally:
    """What a day holds: appointments by status, and from when until when there is anything but cancelled ones."""

    by_status: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AppointmentStatus.values, 0))
    first_start: datetime | None = None
    last_end: datetime | None = None

    @property
    def total(self) -> int:
        """How many there are, cancelled ones left out."""
        return sum(self.by_status.values()) - self.by_status[AppointmentStatus.CANCELLED]

    def add(self, status: str, count: int, first_start: datetime, last_end: datetime) -> None:
        """Take in the appointments of one status."""
        self.by_status[status] = count
        if status != AppointmentStatus.CANCELLED:
            self.first_start = min(self.first_start or first_start, first_start)
            self.last_end = max(self.last_end or last_end, last_end)


def tallies(rows: QuerySet[Appointment], period: Range) -> dict[date, Tally]:
    """Return what each day holds of `rows`, empty days included; counted by the database."""
    counted = (
        _within(rows, period)
        .annotate(place=_place(period))
        .values("place", "status")
        .annotate(count=Count("pk"), first_start=Min("started_at"), last_end=Max("ended_at"))
        .order_by()
    )
    days = period.days
    found = {day: Tally() for day in days}
    for each in counted:
        found[days[each["place"] - 1]].add(each["status"], each["count"], each["first_start"], each["last_end"])
    return found


#: What a week tells of each appointment.
_TOLD = (
    "pk", "uid", "title", "status", "started_at", "ended_at", "mode", "contact_name", "specialist_id",
    "appointment_template_id",
)  # fmt: skip
_NAMES: Mapping[str, Any] = {
    "specialist_name": F("specialist__name"),
    "patient_key": F("patient_id"),
    "patient_name": F("patient__person__name"),
    "template_name": F("appointment_template__name"),
    "template_color": F("appointment_template__color"),
}


def entries(rows: QuerySet[Appointment], period: Range) -> dict[date, list[dict[str, Any]]]:
    """Return what each day holds of `rows`, by start, then id; empty days included.

    Plain values rather than rows of the model: a busy clinic has two thousand appointments a week.
    """
    told = _within(rows, period).order_by("started_at", "pk").values(*_TOLD, place=_place(period), **_NAMES)
    by_day = _grouped(told, period.days)
    return {day: by_day[day] for day in period.days}


def _grouped(told: Iterable[dict[str, Any]], days: list[date]) -> defaultdict[date, list[dict[str, Any]]]:
    found: defaultdict[date, list[dict[str, Any]]] = defaultdict(list)
    for each in told:
        found[days[each.pop("place") - 1]].append(each)
    return found


def _within(rows: QuerySet[Appointment], period: Range) -> QuerySet[Appointment]:
    bounds = period.bounds
    return rows.filter(started_at__gte=bounds[0], started_at__lt=bounds[-1])


def _place(period: Range) -> Func:
    """Return, as SQL, on which day of the period an appointment starts, from 1 on.

    By the bounds that we work out rather than by the database's zones: those may be of another year than ours.
    """
    bounds = Value(period.bounds[:-1], output_field=ArrayField(DateTimeField()))
    return Func(F("started_at"), bounds, function="width_bucket", output_field=IntegerField())
