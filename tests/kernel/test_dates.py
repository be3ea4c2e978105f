"""Dates as people read them."""

from datetime import UTC, date, datetime

import pytest

from restartix.kernel import dates

BUCHAREST = "Europe/Bucharest"


def test_romanian_names_are_lower_case_and_have_a_comma_below():
    assert dates.long_day(date(2026, 12, 1), "ro") == "marți, 1 decembrie 2026"
    assert dates.long_day(date(2027, 3, 27), "ro") == "sâmbătă, 27 martie 2027"
    assert "ş" not in "".join(dates.weekday_names("ro")), "that is a cedilla"


def test_weeks_begin_on_monday():
    assert dates.weekday_names("en")[0] == "Monday"
    assert dates.short_weekday_names("ro")[0] == "lun."


@pytest.mark.parametrize(
    ("language", "long", "in_year", "short", "month"),
    [
        ("ro", "luni, 7 decembrie 2026", "luni, 7 decembrie", "lun., 7 dec.", "decembrie 2026"),
        ("en", "Monday, 7 December 2026", "Monday, 7 December", "Mon 7 Dec", "December 2026"),
    ],
)
def test_a_day_in_its_lengths(language, long, in_year, short, month):
    day = date(2026, 12, 7)

    assert dates.long_day(day, language) == long
    assert dates.day_in_year(day, language) == in_year
    assert dates.short_day(day, language) == short
    assert dates.month(day, language) == month


def test_a_sentence_begins_with_a_capital_letter_whatever_the_letter():
    assert dates.sentence("șase") == "Șase"
    assert dates.sentence("") == ""


@pytest.mark.parametrize(
    ("moment", "time", "offset", "repeated"),
    [
        (datetime(2027, 3, 28, 0, 59, tzinfo=UTC), "02:59", "UTC+2", False),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "04:00", "UTC+3", False),
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), "03:00", "UTC+3", True),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "03:00", "UTC+2", True),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "04:00", "UTC+2", False),
    ],
)
def test_the_nights_of_the_clock_changes(moment, time, offset, repeated):
    assert dates.wall_time(moment, BUCHAREST) == time
    assert dates.offset(moment, BUCHAREST) == offset
    assert dates.is_repeated(moment, BUCHAREST) is repeated


def test_offsets_west_and_of_half_hours():
    moment = datetime(2026, 12, 7, tzinfo=UTC)

    assert dates.offset(moment, "America/St_Johns") == "UTC−3:30"
    assert dates.offset(moment, "Asia/Kolkata") == "UTC+5:30"


def test_cities_are_called_as_people_call_them():
    assert dates.city(BUCHAREST, "ro") == "București"
    assert dates.city(BUCHAREST, "en") == "Bucharest"
    assert dates.city("America/New_York", "ro") == "New York"
    assert dates.city("UTC", "en") == "UTC"


def test_zones_differ_only_when_their_clocks_do():
    moment = datetime(2026, 12, 7, tzinfo=UTC)

    assert dates.tell_apart(moment, BUCHAREST, "Europe/Berlin")
    assert not dates.tell_apart(moment, BUCHAREST, "Europe/Athens")
