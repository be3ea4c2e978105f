"""Why a start is no slot, on paper: an explanation is silent exactly where the slots have the start."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scheduling.domain.explaining import Code, obstacles, overlaps
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock, open_starts

HOUR, DAY = 3600, 86_400
#: Around both clock changes of 2027, with some days on either side.
EDGES = [int(datetime(2027, 3, 26, tzinfo=UTC).timestamp()), int(datetime(2027, 10, 29, tzinfo=UTC).timestamp())]
ZONES = ["Europe/Bucharest", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]
QUARTERS = st.integers(0, 95).map(lambda quarter: quarter * 15)


@st.composite
def questions(draw: st.DrawFn) -> tuple[Calendar, Offer, int, int]:
    """A calendar, a template, a moment to ask about and the present."""
    base = draw(st.sampled_from(EDGES))
    minutes = st.integers(0, 4 * 96).map(lambda quarter: base + quarter * 900)
    blocks = draw(st.lists(st.builds(WeeklyBlock, st.integers(0, 6), QUARTERS, QUARTERS), max_size=6))
    overrides = [
        Override(start, start + length * 900, available, template)
        for start, length, available, template in draw(
            st.lists(st.tuples(minutes, st.integers(1, 120), st.booleans(), st.sampled_from([None, 1, 2])), max_size=3)
        )
    ]
    busy = [
        (start, start + length * 900)
        for start, length in draw(st.lists(st.tuples(minutes, st.integers(1, 12)), max_size=3))
    ]
    calendar = Calendar(
        specialist_id=1,
        timezone=draw(st.sampled_from(ZONES)),
        weekly=tuple(blocks),
        overrides=tuple(overrides),
        busy=busy,
        bookable_until=draw(st.sampled_from([None, date(2027, 3, 27), date(2027, 10, 31), date(2030, 1, 1)])),
    )
    quarter = st.integers(1, 8).map(lambda count: count * 900)
    offer = Offer(
        1,
        draw(quarter),
        draw(st.sampled_from([0, 600, 900])),
        draw(quarter),
        draw(st.sampled_from([0, HOUR])),
        draw(st.sampled_from([DAY, 30 * DAY])),
    )
    return calendar, offer, draw(minutes), base + draw(st.integers(-DAY, DAY))


@settings(max_examples=1500, deadline=None)
@given(questions())
def test_nothing_stands_in_the_way_exactly_of_slots(asked: tuple[Calendar, Offer, int, int]) -> None:
    calendar, offer, start, now = asked

    reasons = obstacles(calendar, offer, start, now)
    taken = [claim for claim in calendar.busy if overlaps(claim, offer, start)]
    found = open_starts(calendar, offer, window_start=start, window_end=start + 1, now=now)

    assert (not reasons and not taken) == (found == [start])


MONDAY = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp())  # midnight in UTC
OFFICE = Calendar(1, "UTC", tuple(WeeklyBlock(day, 540, 1020) for day in range(5)))
HOURLY = Offer(1, HOUR, 0, HOUR, 0, 30 * DAY)


@pytest.mark.parametrize(
    ("start", "codes"),
    [
        (MONDAY + 9 * HOUR, []),
        (MONDAY + 9 * HOUR + 600, [Code.OFF_GRID]),
        (MONDAY + 16 * HOUR + 600, [Code.OUTSIDE_HOURS, Code.OFF_GRID]),
        (MONDAY + 17 * HOUR, [Code.OUTSIDE_HOURS]),
        (MONDAY - 15 * HOUR, [Code.OUTSIDE_HOURS, Code.MIN_NOTICE]),
        (MONDAY + 31 * DAY + 9 * HOUR, [Code.HORIZON]),
    ],
)
def test_each_rule_is_told_by_its_code(start: int, codes: list[Code]) -> None:
    assert [each.code for each in obstacles(OFFICE, HOURLY, start, MONDAY)] == codes


def test_a_start_beside_the_grid_is_told_its_neighbours() -> None:
    (found,) = obstacles(OFFICE, HOURLY, MONDAY + 9 * HOUR + 600, MONDAY)

    assert (found.before, found.after) == (MONDAY + 9 * HOUR, MONDAY + 10 * HOUR)


def test_an_exception_is_blamed_before_the_week_and_only_where_it_counts() -> None:
    away = Override(MONDAY + 12 * HOUR, MONDAY + 13 * HOUR, available=False, template_id=None)
    other = Override(MONDAY + 12 * HOUR, MONDAY + 13 * HOUR, available=False, template_id=2)

    def codes(override: Override) -> list[Code]:
        calendar = Calendar(1, "UTC", OFFICE.weekly, (override,))
        return [each.code for each in obstacles(calendar, HOURLY, MONDAY + 12 * HOUR, MONDAY)]

    assert codes(away) == [Code.OVERRIDE]
    assert codes(other) == []


def test_times_beyond_every_calendar_are_answered_too() -> None:
    far = int(datetime(9999, 12, 31, 23, tzinfo=UTC).timestamp())
    licensed = Calendar(1, "Pacific/Kiritimati", OFFICE.weekly, bookable_until=date(2027, 1, 1))

    assert [each.code for each in obstacles(licensed, HOURLY, far, MONDAY)] == [Code.HORIZON, Code.LICENCE]
