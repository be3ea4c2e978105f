"""Local days: clock changes at night, at midnight, by half an hour, and a day that never was."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scheduling.domain import zones

ZONES = [
    "Europe/Bucharest",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Africa/Cairo",
    "America/Havana",
    "Asia/Kolkata",
]


def day(zone: str, text: str) -> zones.LocalDay:
    return zones.local_day(zone, date.fromisoformat(text).toordinal())


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("zone", "text", "hours"),
    [
        ("Europe/Bucharest", "2027-03-27", 24),
        ("Europe/Bucharest", "2027-03-28", 23),
        ("Europe/Bucharest", "2027-10-31", 25),
        ("Australia/Lord_Howe", "2027-04-04", 24.5),
        ("Australia/Lord_Howe", "2027-10-03", 23.5),
        ("Antarctica/Troll", "2027-03-28", 22),
        ("Africa/Cairo", "2027-04-30", 23),
        ("America/Havana", "2027-03-14", 23),
        ("America/Havana", "2027-11-07", 25),
        ("Pacific/Apia", "2011-12-30", 0),
    ],
)
def test_a_local_day_is_as_long_as_its_clock_makes_it(zone, text, hours):
    found = day(zone, text)

    assert found.end - found.start == hours * 3600
    assert found.is_plain == (hours == 24)


def test_a_day_without_midnight_begins_with_its_first_instant():
    cairo = day("Africa/Cairo", "2027-04-30")

    assert next(zones.stamps("Africa/Cairo", [cairo.start])) == ("2027-04-30", "01:00", "+03:00")
    assert next(zones.stamps("Africa/Cairo", [cairo.start - 60])) == ("2027-04-29", "23:59", "+02:00")


def test_a_repeated_midnight_begins_the_day_once_at_the_first():
    havana = day("America/Havana", "2027-11-07")

    assert havana.start == instant("2027-11-07T04:00Z")
    assert [(stretch.offset // 3600) for stretch in havana.stretches] == [-4, -5]


def test_a_clock_put_back_over_midnight_does_not_begin_the_day_before_again():
    # Newfoundland changed its clocks at 00:01 until 2011: 00:01 on the 7th became 23:01 on the 6th.
    seventh = day("America/St_Johns", "2010-11-07")
    again = seventh.start + 60

    assert next(zones.stamps("America/St_Johns", [again]))[:2] == ("2010-11-06", "23:01")
    assert zones.day_of("America/St_Johns", again) == seventh
    assert day("America/St_Johns", "2010-11-06").end == seventh.start


def test_a_gap_around_midnight_begins_the_day_where_the_clock_resumes():
    # Toronto in 1919: 23:30 on 30 March became 00:30 on the 31st.
    monday = day("America/Toronto", "1919-03-31")

    assert next(zones.stamps("America/Toronto", [monday.start]))[:2] == ("1919-03-31", "00:30")


def test_days_far_outside_the_calendar_count_as_the_nearest():
    low, high = zones.span("Europe/Bucharest", date.min, date.max)

    assert low == instant("1969-12-31T22:00Z")
    assert high > instant("9998-12-30T00:00Z")


MINUTES = st.integers(instant("2024-01-01T00:00Z") // 60, instant("2030-12-31T00:00Z") // 60)


@given(zone=st.sampled_from(ZONES), minute=MINUTES, count=st.integers(1, 60))
def test_stamps_say_what_the_zone_database_says(zone, minute, count):
    instants = [60 * (minute + 29 * i) for i in range(count)]

    shown = list(zones.stamps(zone, instants))

    expected = [datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat() for moment in instants]
    assert [f"{day}T{time}:00{offset}" for day, time, offset in shown] == expected


@given(zone=st.sampled_from(ZONES), minute=MINUTES)
def test_every_instant_lies_in_exactly_the_day_that_the_clock_shows(zone, minute):
    found = zones.day_of(zone, minute * 60)

    assert found.start <= minute * 60 < found.end
    assert found.date == datetime.fromtimestamp(minute * 60, ZoneInfo(zone)).date()
    assert found.weekday == found.date.weekday()


@pytest.mark.parametrize(
    ("zone", "after", "expected"),
    [
        ("Europe/Bucharest", "2027-03-27", "2027-03-28"),
        ("Europe/Bucharest", "2027-03-28", "2027-10-31"),
        ("America/Havana", "2027-01-01", "2027-03-14"),
        ("Asia/Kolkata", "2027-01-01", None),
    ],
)
def test_the_next_clock_change_comes_after_the_day_that_is_asked_about(zone, after, expected):
    found = zones.next_clock_change(zone, date.fromisoformat(after))

    assert (found.date.isoformat() if found else None) == expected
