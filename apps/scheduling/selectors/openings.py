"""Openings: free times looked for beyond one window: the next ones, the nearest to a wish, those of a month."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.scheduling.selectors.booking import Timeslots, timeslots
from apps.scheduling.selectors.offers import Offering, local_date

#: Days that one look into the calendar spans.
WINDOW = timedelta(days=31)
#: How far around a time that is gone another one is looked for.
NEAR_BEFORE, NEAR_AFTER = timedelta(days=7), timedelta(days=21)

#: Epoch seconds of the start, and who can take it by priority, then id.
Opening = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Search:
    """Whose free times are looked for: a service, perhaps one specialist, and the clock that the days are of."""

    offering: Offering
    timezone: str
    now: datetime
    specialist_id: int | None = None

    @property
    def first_day(self) -> date:
        """Today."""
        return local_date(self.now, self.timezone)

    @property
    def last_day(self) -> date:
        """The last day on which something can be booked."""
        return local_date(self.now + timedelta(days=self.offering.template.horizon_days), self.timezone)

    def between(self, first: date, last: date) -> Timeslots:
        """Return the free times from `first` to `last`, both included. Raises NotFound (404), see `timeslots`."""
        return timeslots(
            self.offering,
            first=first,
            last=last,
            timezone=self.timezone,
            specialist_id=self.specialist_id,
            now=self.now,
        )


def upcoming(search: Search, *, count: int) -> list[Opening]:
    """Return the next `count` free times, fewer if there are not as many; one statement for every 31 days looked at."""
    found: list[Opening] = []
    for window in _windows(search):
        found += window.slots
        if len(found) >= count:
            break
    return found[:count]


def first_of_each(search: Search) -> dict[int, int]:
    """Return the first free time of each specialist within the next 31 days, in epoch seconds."""
    firsts: dict[int, int] = {}
    for start, specialist_ids in next(_windows(search)).slots:
        for specialist_id in specialist_ids:
            firsts.setdefault(specialist_id, start)
    return firsts


def of_month(search: Search, day: date) -> Timeslots:
    """Return the free times of the month in which `day` lies."""
    first = day.replace(day=1)
    return search.between(first, first.replace(day=calendar.monthrange(day.year, day.month)[1]))


def nearest(search: Search, *, wish: datetime, count: int) -> list[Opening]:
    """Return the `count` free times that are nearest to `wish`, in the order of the clock."""
    wished = local_date(wish, search.timezone)
    found = search.between(wished - NEAR_BEFORE, wished + NEAR_AFTER).slots
    second = wish.timestamp()
    return sorted(sorted(found, key=lambda opening: abs(opening[0] - second))[:count])


def _windows(search: Search) -> Iterator[Timeslots]:
    first = search.first_day
    while first <= search.last_day:
        yield search.between(first, first + WINDOW - timedelta(days=1))
        first += WINDOW
