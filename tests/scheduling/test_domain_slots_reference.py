"""Slots compared with a reading of the contract that looks at every minute and knows no intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.scheduling.domain import slots
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock

MINUTE, DAY = 60, 86_400
ZONES = [
    "Europe/Bucharest",
    "Australia/Lord_Howe",  # by half an hour
    "America/St_Johns",  # half past the hour from UTC
    "Africa/Casablanca",  # twice a year for Ramadan
    "Africa/Cairo",  # skips midnight
    "America/Havana",  # skips midnight and repeats it
    "America/New_York",
    "Asia/Kolkata",  # never
]


def reference_starts(calendar: Calendar, offer: Offer, low: int, high: int, now: float) -> list[int]:
    """Return the slots of contract/scheduling.md 2.1, step by step, minute by minute."""
    clock = Clock(calendar, offer, low // MINUTE - 1_560, -(-high // MINUTE) + 1_560 + offer.duration // MINUTE)
    found = []
    for start in clock.candidates():
        is_open = now + offer.min_notice <= start < now + offer.horizon
        if calendar.bookable_until is not None:
            is_open = is_open and clock.local(start // MINUTE).date() <= calendar.bookable_until
        needed_until = start + offer.duration + offer.gap
        is_free = not any(begin < needed_until and start < end for begin, end in calendar.busy)
        if is_open and is_free and low <= start < high:
            found.append(start)
    return found


class Clock:
    """The minutes [first, last) since 1970 as a specialist's wall clock shows them."""

    def __init__(self, calendar: Calendar, offer: Offer, first: int, last: int) -> None:
        self.calendar, self.offer, self.minutes = calendar, offer, range(first, last)
        self.overrides = [o for o in calendar.overrides if o.template_id in (None, offer.template_id)]
        self.week = {minute for block in calendar.weekly for minute in minutes_of(block)}
        self.touched = {
            self.local(minute).date()
            for minute in self.minutes
            for o in self.overrides
            if o.start < (minute + 1) * MINUTE and o.end > minute * MINUTE
        }
        self.available = {minute for minute in self.minutes if self.is_available(minute)}

    def local(self, minute: int) -> datetime:
        return local(self.calendar.timezone, minute)

    def is_available(self, minute: int) -> bool:
        shown = self.local(minute)
        if shown.date() not in self.touched:
            return (shown.weekday() * 24 + shown.hour) * 60 + shown.minute in self.week
        covering = {o.available for o in self.overrides if o.start <= minute * MINUTE < o.end}
        return covering == {True}

    def candidates(self) -> Iterator[int]:
        """Yield a, a + p, a + 2p ... of each stretch of available minutes of one date, where the slot fits into A."""
        origin = None
        for minute in self.minutes:
            if minute not in self.available:
                origin = None
                continue
            if origin is None or self.local(minute).date() != self.local(minute - 1).date():
                origin = minute
            on_grid = (minute - origin) * MINUTE % self.offer.step == 0
            if on_grid and all(m in self.available for m in range(minute, minute + self.offer.duration // MINUTE)):
                yield minute * MINUTE


def minutes_of(block: WeeklyBlock) -> Iterator[int]:
    """Yield the minutes of the week in which a block lies."""
    length = block.end_minute - block.start_minute
    for passed in range(length if length > 0 else length + 1_440):
        yield (block.day * 1_440 + block.start_minute + passed) % 10_080


@cache
def local(zone: str, minute: int) -> datetime:
    return datetime.fromtimestamp(minute * MINUTE, ZoneInfo(zone))


@cache
def turning_days(zone: str) -> list[date]:
    """Return the dates of 2024-2030 on which the zone changes its offset; for one that never does, two of its own."""
    noons = [datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=days) for days in range(7 * 365 + 2)]
    offsets = [noon.astimezone(ZoneInfo(zone)).utcoffset() for noon in noons]
    changes = [noons[i].date() for i in range(1, len(noons)) if offsets[i] != offsets[i - 1]]
    return changes or [date(2026, 2, 28), date(2028, 2, 29)]


def midnight_utc(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@st.composite
def questions(draw: st.DrawFn) -> tuple[Calendar, Offer, int, int, float]:
    """Draw a calendar whose hours lie around a clock change, an offer, a window and a moment."""
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.sampled_from(turning_days(zone)))
    noon = midnight_utc(day) + DAY // 2
    around = st.integers(-36 * 4, 36 * 4).map(lambda quarters: noon + quarters * 15 * MINUTE)
    quarter_of_day = st.integers(0, 95).map(lambda quarters: quarters * 15)
    minute_of_day = quarter_of_day | st.integers(0, 1_439)
    block = st.builds(WeeklyBlock, st.integers(0, 6), minute_of_day, minute_of_day)
    override = st.builds(
        lambda start, length, available, template_id: Override(start, start + length * MINUTE, available, template_id),
        around,
        st.integers(1, 2_000),
        st.booleans(),
        st.sampled_from([None, None, 1, 2]),
    )
    busy = st.builds(lambda start, length: (start, start + length), around, st.integers(1, 4 * 3_600))
    calendar = Calendar(
        specialist_id=1,
        timezone=zone,
        weekly=tuple(draw(st.lists(block, max_size=8))),
        overrides=tuple(draw(st.lists(override, max_size=3))),
        busy=draw(st.lists(busy, max_size=5)),
        bookable_until=draw(st.none() | st.integers(-1, 1).map(lambda days: day + timedelta(days))),
    )
    offer = Offer(
        template_id=1,
        duration=draw(st.sampled_from([5, 15, 30, 45, 60, 90, 480])) * MINUTE,
        gap=draw(st.sampled_from([0, 0, 5, 30])) * MINUTE,
        step=draw(st.sampled_from([5, 15, 25, 30, 60, 90, 600])) * MINUTE,
        min_notice=draw(st.sampled_from([0, 120])) * MINUTE,
        horizon=draw(st.sampled_from([1, 2, 60])) * DAY,
    )
    low = draw(around) + draw(st.sampled_from([0, 0, 1, 61]))
    now = noon + draw(st.sampled_from([-30 * DAY, -DAY, 0])) + draw(st.sampled_from([0, 0.5]))
    return calendar, offer, low, low + draw(st.sampled_from([1, 8, 24, 48])) * 3_600, now


@given(questions())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_slots_are_those_of_the_minute_by_minute_reading(question):
    calendar, offer, low, high, now = question

    found = slots.open_starts(calendar, offer, window_start=low, window_end=high, now=now)

    assert found == reference_starts(calendar, offer, low, high, now)


@given(questions())
@settings(max_examples=100, deadline=None)
def test_a_window_in_two_halves_has_the_slots_of_the_whole(question):
    calendar, offer, low, high, now = question
    middle = (low + high) // 2

    def found(start: int, end: int) -> list[int]:
        return slots.open_starts(calendar, offer, window_start=start, window_end=end, now=now)

    assert found(low, middle) + found(middle, high) == found(low, high)


@given(questions())
@settings(max_examples=100, deadline=None)
def test_every_slot_is_a_candidate_and_no_busy_period_overlaps_it(question):
    calendar, offer, low, high, now = question

    for start in slots.open_starts(calendar, offer, window_start=low, window_end=high, now=now):
        assert slots.is_candidate(calendar, offer, start, now)
        assert not any(begin < start + offer.duration + offer.gap and start < end for begin, end in calendar.busy)
        assert start >= math.ceil(now) + offer.min_notice


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_clock_change_of_seven_years_the_readings_agree(zone):
    weekly = (
        WeeklyBlock(5, 22 * 60, 6 * 60),
        WeeklyBlock(6, 6 * 60, 6 * 60 + 45),
        *(WeeklyBlock(day, 23 * 60 + 15, 4 * 60 + 30) for day in range(5)),
    )
    offer = Offer(1, 30 * MINUTE, 0, 25 * MINUTE, 0, 365 * DAY)
    for day in turning_days(zone):
        low = midnight_utc(day) - DAY
        busy = [(low + DAY + 7 * 60, low + DAY + 29 * 60)]
        calendar = Calendar(1, zone, weekly, busy=busy)

        found = slots.open_starts(calendar, offer, window_start=low, window_end=low + 2 * DAY, now=low - DAY)

        assert found
        assert found == reference_starts(calendar, offer, low, low + 2 * DAY, low - DAY)
