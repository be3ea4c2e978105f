"""Seven days of one specialist as the week's board shows them. Two statements; instants are epoch seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from apps.profiles.models import Specialist
from apps.scheduling.domain.zones import span
from apps.scheduling.selectors.day import Column, booked_within, column_of, held_now

DAYS = 7


@dataclass(frozen=True, slots=True)
class SevenDays:
    """A specialist's week on the clinic's clock, from its Monday on."""

    first: date
    timezone: str
    columns: Sequence[Column]

    @property
    def booked_count(self) -> int:
        """How many appointments take place."""
        return sum(len(column.booked) for column in self.columns)


def monday_of(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def seven_days_of(person: Specialist, day: date, *, timezone: str) -> SevenDays:
    """Return the week that holds the local date `day` in `timezone`."""
    days = [monday_of(day) + timedelta(days=number) for number in range(DAYS)]
    booked = booked_within(*span(timezone, days[0], days[-1]), specialist=person)[person.pk]
    held = [entry for entry in held_now(None) if entry.specialist_id == person.pk]
    columns = []
    for each in days:
        start, end = span(timezone, each, each)
        visits = [entry for entry in booked if entry.start < end and entry.end > start]
        kept = [entry for entry in held if entry.start < end and entry.end > start]
        columns.append(column_of(person, each, (start, end), visits, kept))
    return SevenDays(days[0], timezone, columns)
