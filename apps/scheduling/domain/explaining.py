"""Why a start is no slot: the rules of contract/scheduling.md 2.1 one by one, each with what it wants.

No reason means that the start is a slot of that specialist. All instants are integer epoch seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from apps.scheduling.domain.intervals import Interval, clip, difference
from apps.scheduling.domain.slots import Calendar, Offer, Override, available_intervals
from apps.scheduling.domain.zones import FIRST_DATE, LAST_DATE, LocalDay, day_of, local_days


class Code(StrEnum):
    """Which rule stands in the way."""

    NOT_ATTACHED = "not_attached"
    INACTIVE = "inactive"
    NOT_BOOKABLE = "not_bookable"
    OUTSIDE_HOURS = "outside_hours"
    OVERRIDE = "override"
    OFF_GRID = "off_grid"
    MIN_NOTICE = "min_notice"
    HORIZON = "horizon"
    LICENCE = "licence"
    BOOKING = "booking"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One rule that is not kept."""

    code: Code
    #: outside_hours, override: the local day that falls short, and what is left of it.
    day: date | None = None
    hours: Sequence[Interval] = ()
    #: override: the exceptions that replace the weekly hours of that day.
    overrides: Sequence[Override] = ()
    #: off_grid: the starts of the grid around it, as far as they lie in the same hours.
    before: int | None = None
    after: int | None = None
    #: min_notice: the first start that is late enough; horizon: the first that is too late.
    bound: int | None = None


def obstacles(calendar: Calendar, offer: Offer, start: int, now: float) -> list[Obstacle]:
    """Return why `start` is not a candidate or not open; what is booked or held is not asked."""
    found = [*_opening(calendar, offer, start, math.ceil(now))]
    if FIRST_DATE < datetime.fromtimestamp(start, UTC).date() < LAST_DATE:
        found = [*_hours(calendar, offer, start), *_grid(calendar, offer, start), *found]
    return found


def overlaps(claim: Interval, offer: Offer, start: int) -> bool:
    """Tell whether a claim stands in the way of a start: it may not touch the duration, nor the gap after it."""
    return claim[0] < start + offer.duration + offer.gap and claim[1] > start


def _hours(calendar: Calendar, offer: Offer, start: int) -> Iterator[Obstacle]:
    """Yield each local day whose availability falls short, blamed on its exceptions if it has any."""
    days = _days(calendar, start, start + offer.duration)
    available = dict(available_intervals(calendar, offer.template_id, days[0].date, days[-1].date))
    union = [interval for hours in available.values() for interval in hours]
    missing = difference([(start, start + offer.duration)], union)
    for day in days:
        if not clip(missing, day.start, day.end):
            continue
        overrides = [
            each
            for each in calendar.overrides
            if each.template_id in (None, offer.template_id) and each.start < day.end and each.end > day.start
        ]
        code = Code.OVERRIDE if overrides else Code.OUTSIDE_HOURS
        yield Obstacle(code, day=day.date, hours=available[day.date], overrides=overrides)


def _days(calendar: Calendar, start: int, end: int) -> tuple[LocalDay, ...]:
    first, last = day_of(calendar.timezone, start), day_of(calendar.timezone, end - 1)
    return local_days(calendar.timezone, first.ordinal, last.ordinal)


def _grid(calendar: Calendar, offer: Offer, start: int) -> Iterator[Obstacle]:
    """Yield the grid around a start that lies in the hours but not on it."""
    day = day_of(calendar.timezone, start).date
    for opens, closes in available_intervals(calendar, offer.template_id, day, day)[0][1]:
        beyond = (start - opens) % offer.step
        if opens <= start < closes and beyond:
            before, after = start - beyond, start - beyond + offer.step
            yield Obstacle(Code.OFF_GRID, before=before, after=after if after < closes else None)


def _opening(calendar: Calendar, offer: Offer, start: int, now: int) -> Iterator[Obstacle]:
    if start < now + offer.min_notice:
        yield Obstacle(Code.MIN_NOTICE, bound=now + offer.min_notice)
    if start >= now + offer.horizon:
        yield Obstacle(Code.HORIZON, bound=now + offer.horizon)
    last = calendar.bookable_until
    if last is not None and last < LAST_DATE and _is_after(calendar.timezone, start, last):
        yield Obstacle(Code.LICENCE, day=last)


def _is_after(timezone: str, start: int, last: date) -> bool:
    """Tell whether the local date of `start` is later than `last`."""
    if datetime.fromtimestamp(start, UTC).date() >= LAST_DATE:
        return True
    return day_of(timezone, start).date > last
