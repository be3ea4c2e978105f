"""Local days and wall-clock times of a time zone, in integer epoch seconds.

A day is worked out once per zone and date and then remembered: the zone database is asked a few times per local day and
never per slot. Everything else in this domain adds and compares integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = 60
DAY = 86_400
EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
FIRST_DATE, LAST_DATE = date(1970, 1, 1), date(9998, 12, 31)
TIMES = tuple(f"{hour:02d}:{minute:02d}" for hour in range(24) for minute in range(60))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch [start, end) of one local day during which the zone's offset from UTC does not change."""

    start: int
    end: int
    offset: int


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One local day of a zone: from local midnight, or the first instant after it, to the next, as [start, end)."""

    ordinal: int
    weekday: int
    start: int
    end: int
    stretches: tuple[Stretch, ...]

    @property
    def date(self) -> date:
        """The calendar date of the day."""
        return date.fromordinal(self.ordinal)

    @property
    def is_plain(self) -> bool:
        """Whether the wall clock runs from 00:00 to 24:00 without skipping or repeating anything."""
        return len(self.stretches) == 1 and self.end - self.start == DAY


@lru_cache(maxsize=65_536)
def local_day(timezone: str, ordinal: int) -> LocalDay:
    """Return the day with that proleptic ordinal; one that the zone skipped (Samoa, 30 December 2011) is empty."""
    zone = ZoneInfo(timezone)
    start, end = _midnight(zone, ordinal), _midnight(zone, ordinal + 1)
    return LocalDay(ordinal, (ordinal - 1) % 7, start, end, tuple(_stretches(zone, start, end)))


@lru_cache(maxsize=1_024)
def local_days(timezone: str, first: int, last: int) -> tuple[LocalDay, ...]:
    """Return the days from ordinal `first` to `last`, both included."""
    return tuple(local_day(timezone, ordinal) for ordinal in range(first, last + 1))


def day_of(timezone: str, instant: int) -> LocalDay:
    """Return the day in which the instant lies."""
    day = local_day(timezone, datetime.fromtimestamp(instant, ZoneInfo(timezone)).toordinal())
    while instant >= day.end:  # a clock that is put back over midnight shows yesterday's date again
        day = local_day(timezone, day.ordinal + 1)
    return day


def next_clock_change(timezone: str, after: date) -> LocalDay | None:
    """Return the first day after `after` on which the clock is put forward or back; None within the next 366 days."""
    first = after.toordinal() + 1
    return next((day for day in local_days(timezone, first, first + 365) if not day.is_plain), None)


def span(timezone: str, first: date, last: date) -> tuple[int, int]:
    """Return [local midnight of `first`, local midnight after `last`); dates outside 1970-9998 count as the nearest."""
    first, last = (min(max(day, FIRST_DATE), LAST_DATE) for day in (first, last))
    return local_day(timezone, first.toordinal()).start, local_day(timezone, last.toordinal()).end


def stamps(timezone: str, instants: Iterable[int]) -> Iterator[tuple[str, str, str]]:
    """Yield date, wall time and offset of each instant: `("2027-03-28", "04:00", "+03:00")`; quick when they ascend."""
    stretch, shown, date_text, offset_text = Stretch(0, 0, 0), -1, "", ""
    for instant in instants:
        if not stretch.start <= instant < stretch.end:
            stretch = next(s for s in day_of(timezone, instant).stretches if s.start <= instant < s.end)
            offset_text = _offset_text(stretch.offset)
        days, second = divmod(instant + stretch.offset, DAY)
        if days != shown:
            shown, date_text = days, date.fromordinal(EPOCH_ORDINAL + days).isoformat()
        yield date_text, TIMES[second // MINUTE], offset_text


def _offset_text(offset: int) -> str:
    hours, minutes = divmod(abs(offset) // MINUTE, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"


def _midnight(zone: ZoneInfo, ordinal: int) -> int:
    """Return the instant of local midnight (the first, if it is repeated), or the first instant after a skipped one."""
    offset = _seconds_from_utc(datetime.combine(date.fromordinal(ordinal), time(), zone))
    instant = (ordinal - EPOCH_ORDINAL) * DAY - offset
    if _offset_at(zone, instant) == offset:
        return instant
    return list(_stretches(zone, instant - DAY, instant + 1))[-1].start


def _stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[Stretch]:
    """Cut [start, end) where the offset changes (no zone of 2020-2030 changes twice within two days)."""
    while start < end:
        offset = _offset_at(zone, start)
        change = end if _offset_at(zone, end - 1) == offset else _change(zone, start, end - 1)
        yield Stretch(start, change, offset)
        start = change


def _change(zone: ZoneInfo, same: int, other: int) -> int:
    """Return the instant in (same, other] from which the offset is no longer that of `same`."""
    offset = _offset_at(zone, same)
    while other - same > 1:
        middle = (same + other) // 2
        same, other = (middle, other) if _offset_at(zone, middle) == offset else (same, middle)
    return other


def _offset_at(zone: tzinfo, instant: int) -> int:
    return _seconds_from_utc(datetime.fromtimestamp(instant, zone))


def _seconds_from_utc(local: datetime) -> int:
    offset = local.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
