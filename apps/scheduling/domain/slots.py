"""Free slots: a specialist's hours, less what is booked or held, on the grid of an appointment template.

The rules are those of the contract, scheduling.md 2.1, and keep its letters: W the weekly hours, A(D) the availability
of a local day D, A the union of all A(D), d the duration, g the gap, p the step. All instants are integer epoch
seconds, all intervals half-open.

How it stays fast: a busy period [s, e) forbids exactly the starts in the open interval (s - d - g, e). These intervals
are merged once and the grid jumps over them: days, busy periods and slots found add up and never multiply.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from apps.profiles.domain.hours import WeeklyBlock
from apps.scheduling.domain.intervals import Interval, clip, difference, union
from apps.scheduling.domain.zones import DAY, EPOCH_ORDINAL, MINUTE, LocalDay, day_of, local_day, local_days

__all__ = [
    "Calendar",
    "Offer",
    "Override",
    "WeeklyBlock",
    "available_intervals",
    "candidate_starts",
    "is_candidate",
    "merge",
    "open_starts",
]

NEVER = 1 << 62
Forbidden = tuple[list[int], list[int]]
NOTHING_FORBIDDEN: Forbidden = ([NEVER], [NEVER])
WeekHours = tuple[tuple[Interval, ...], ...]


class Override(NamedTuple):
    """An exception [start, end) that replaces the weekly hours of every local day it touches.

    `template_id` None holds for all templates. A tuple, because overrides are hashed with every computation.
    """

    start: int
    end: int
    available: bool
    template_id: int | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """What is known about one specialist's time.

    `busy` are the periods of live claims, each with its own gap, in any order. `priority` is the one on the template:
    lower comes first. `bookable_until` is the last local date that the licence allows.
    """

    specialist_id: int
    timezone: str
    weekly: tuple[WeeklyBlock, ...]
    overrides: tuple[Override, ...] = ()
    busy: Sequence[Interval] = ()
    priority: int = 0
    bookable_until: date | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What an appointment template asks of a calendar; every quantity in seconds."""

    template_id: int
    duration: int
    gap: int
    step: int
    min_notice: int
    horizon: int


def merge(
    calendars: Iterable[Calendar], offer: Offer, *, window_start: int, window_end: int, now: float
) -> list[tuple[int, tuple[int, ...]]]:
    """Return each slot in [window_start, window_end) with the specialists who can take it, by priority, then id."""
    takers: defaultdict[int, list[int]] = defaultdict(list)
    for calendar in sorted(calendars, key=lambda calendar: (calendar.priority, calendar.specialist_id)):
        taker = calendar.specialist_id
        for start in open_starts(calendar, offer, window_start=window_start, window_end=window_end, now=now):
            takers[start].append(taker)
    return [(start, tuple(takers[start])) for start in sorted(takers)]


def open_starts(calendar: Calendar, offer: Offer, *, window_start: int, window_end: int, now: float) -> list[int]:
    """Return the starts in [window_start, window_end) that are candidate, open and free, ascending."""
    low, high = _open_window(calendar, offer, window_start, window_end, now)
    forbidden = _forbidden(calendar.busy, offer.duration + offer.gap)
    return _sweep(_grids(calendar, offer, low, high), offer.step, low, high, forbidden)


def candidate_starts(calendar: Calendar, offer: Offer, *, window_start: int, window_end: int, now: float) -> list[int]:
    """Return the starts in [window_start, window_end) that are candidate and open, whatever is busy."""
    low, high = _open_window(calendar, offer, window_start, window_end, now)
    return _sweep(_grids(calendar, offer, low, high), offer.step, low, high, NOTHING_FORBIDDEN)


def is_candidate(calendar: Calendar, offer: Offer, start: int, now: float) -> bool:
    """Tell whether a start is candidate and open: if not it cannot be booked at all, if so it may still be taken."""
    return bool(candidate_starts(calendar, offer, window_start=start, window_end=start + 1, now=now))


def available_intervals(
    calendar: Calendar, template_id: int | None, first: date, last: date
) -> list[tuple[date, list[Interval]]]:
    """Return A(D) of every local day from `first` to `last`, both included, as maximal intervals.

    With `template_id` None only the overrides that hold for all templates count.
    """
    days = local_days(calendar.timezone, first.toordinal(), last.toordinal())
    overrides = _relevant(calendar.overrides, template_id, days[0].start, days[-1].end)
    week = _week_hours(calendar.weekly)
    return [(day.date, _hours(week, overrides, day)) for day in days]


def _open_window(calendar: Calendar, offer: Offer, start: int, end: int, now: float) -> Interval:
    """Narrow [start, end) to the starts that notice, horizon and licence leave open."""
    now = math.ceil(now)  # starts are whole seconds, so both bounds may be rounded up
    low, high = max(start, now + offer.min_notice), min(end, now + offer.horizon)
    if calendar.bookable_until is not None and low < high:
        earliest, latest = EPOCH_ORDINAL + low // DAY - 2, EPOCH_ORDINAL + high // DAY + 2
        last = min(max(calendar.bookable_until.toordinal(), earliest), latest)
        high = min(high, local_day(calendar.timezone, last).end)
    return low, high


def _sweep(grids: Iterable[Interval], step: int, low: int, high: int, forbidden: Forbidden) -> list[int]:
    """Return the starts of all grids in [low, high) that are not forbidden."""
    lefts, rights = forbidden
    starts: list[int] = []
    i = 0
    for origin, end in grids:
        start, stop = origin, min(end, high)
        if start < low:
            start -= (start - low) // step * step
        while start < stop:
            while rights[i] <= start:
                i += 1
            left = lefts[i]
            if left < start:
                start -= (start - rights[i]) // step * step
            else:
                until = left + 1 if left < stop else stop
                starts += range(start, until, step)
                start -= (start - until) // step * step
    return starts


def _forbidden(busy: Sequence[Interval], needed: int) -> Forbidden:
    """Return the open intervals (left, right) of starts that a busy period forbids, merged, with a sentinel at the end.

    Two that only touch stay apart: the start between them is allowed.
    """
    lefts: list[int] = []
    rights: list[int] = []
    right = -NEVER
    for start, end in sorted(busy):
        left = start - needed
        if left >= right:
            lefts.append(left)
            rights.append(end)
            right = end
        elif end > right:
            rights[-1] = right = end
    lefts.append(NEVER)
    rights.append(NEVER)
    return lefts, rights


def _grids(calendar: Calendar, offer: Offer, low: int, high: int) -> tuple[Interval, ...]:
    """Return (first start, end of starts) of each grid that may have starts in [low, high), ascending."""
    if low >= high:
        return ()
    zone = calendar.timezone
    first, last = day_of(zone, low), day_of(zone, high - 1 + offer.duration)
    overrides = _relevant(calendar.overrides, offer.template_id, first.start, last.end)
    return _grids_of_days(zone, first.ordinal, last.ordinal, calendar.weekly, overrides, offer.duration)


@lru_cache(maxsize=2_048)
def _grids_of_days(
    timezone: str,
    first: int,
    last: int,
    weekly: tuple[WeeklyBlock, ...],
    overrides: tuple[Override, ...],
    duration: int,
) -> tuple[Interval, ...]:
    """Return the grids of the days from ordinal `first` to `last`: one for each maximal interval of A(D), ascending.

    The starts of a grid lie in its interval, but a slot may run on for as long as A does, over midnight.
    Remembered, because availability is asked for far more often than it changes.
    """
    grids: list[Interval] = []
    reach = following = NEVER
    days, week = local_days(timezone, first, last), _week_hours(weekly)
    for start, end in reversed([interval for day in days for interval in _hours(week, overrides, day)]):
        if end != following:
            reach = end
        following = start
        grids.append((start, min(end, reach - duration + 1)))
    return tuple(reversed(grids))


def _relevant(overrides: Iterable[Override], template_id: int | None, start: int, end: int) -> tuple[Override, ...]:
    """Return the overrides that count for a template and overlap [start, end)."""
    return tuple(
        override
        for override in overrides
        if override.start < end and override.end > start and override.template_id in (None, template_id)
    )


def _hours(week: WeekHours, overrides: Iterable[Override], day: LocalDay) -> list[Interval]:
    """Return A(D) as maximal intervals: the overrides that touch the day if any does, else the weekly hours."""
    touching = [override for override in overrides if override.start < day.end and override.end > day.start]
    if not touching or day.start == day.end:
        return _weekly_hours(week, day)
    hours = difference(
        [(override.start, override.end) for override in touching if override.available],
        [(override.start, override.end) for override in touching if not override.available],
    )
    return clip(hours, day.start, day.end)


def _weekly_hours(week: WeekHours, day: LocalDay) -> list[Interval]:
    """Return D ∩ W: a wall time that a clock change skips has no instant, one that it repeats has both."""
    if day.is_plain:
        return [(day.start + start, day.start + end) for start, end in week[day.weekday]]
    hours: list[Interval] = []
    for stretch in day.stretches:
        # A clock that is put back over midnight shows the previous date, and its hours, within this day.
        for days in range((stretch.start + stretch.offset) // DAY, (stretch.end - 1 + stretch.offset) // DAY + 1):
            midnight = days * DAY - stretch.offset
            shown = [(midnight + start, midnight + end) for start, end in week[(EPOCH_ORDINAL + days - 1) % 7]]
            hours += clip(shown, stretch.start, stretch.end)
    return union(hours)


def _week_hours(weekly: tuple[WeeklyBlock, ...]) -> WeekHours:
    """Return the maximal intervals of each weekday in seconds of its wall clock, night shifts cut at midnight."""
    week: list[list[Interval]] = [[] for _ in range(7)]
    for block in weekly:
        start, end = block.start_minute * MINUTE, block.end_minute * MINUTE
        if end > start:
            week[block.day].append((start, end))
        else:
            week[block.day].append((start, DAY))
            week[(block.day + 1) % 7].append((0, end))
    return tuple(tuple(union(hours)) for hours in week)
