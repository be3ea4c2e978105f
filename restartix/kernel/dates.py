"""Dates, times and places on the clock as people read them, in Romanian and English.

Django's own Romanian names are capitalised, which Romanian is not, and its catalogue has gaps; pages and mail need a
dozen phrases only. Weeks begin on Monday, days have 24 hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class _Names:
    weekdays: tuple[str, ...]
    short_weekdays: tuple[str, ...]
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    comma: str


_NAMES = {
    "ro": _Names(
        ("luni", "marți", "miercuri", "joi", "vineri", "sâmbătă", "duminică"),
        ("lun.", "mar.", "mie.", "joi", "vin.", "sâm.", "dum."),
        (
            "ianuarie", "februarie", "martie", "aprilie", "mai", "iunie", "iulie", "august", "septembrie", "octombrie",
            "noiembrie", "decembrie",
        ),
        ("ian.", "feb.", "mar.", "apr.", "mai", "iun.", "iul.", "aug.", "sept.", "oct.", "nov.", "dec."),
        ",",
    ),
    "en": _Names(
        ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        (
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ),
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        "",
    ),
}  # fmt: skip

#: Cities whose own spelling differs from their IANA name.
_CITIES = {"ro": {"Bucharest": "București", "Chisinau": "Chișinău"}, "en": {"Chisinau": "Chișinău"}}


def weekday_names(language: str) -> tuple[str, ...]:
    """Return the names of the days, Monday first."""
    return _NAMES[language].weekdays


def short_weekday_names(language: str) -> tuple[str, ...]:
    """Return the short names of the days, Monday first."""
    return _NAMES[language].short_weekdays


def long_day(day: date, language: str) -> str:
    """Return `luni, 7 decembrie 2026` or `Monday, 7 December 2026`."""
    names = _NAMES[language]
    return f"{names.weekdays[day.weekday()]}, {day.day} {names.months[day.month - 1]} {day.year}"


def day_in_year(day: date, language: str) -> str:
    """Return `luni, 7 decembrie` or `Monday, 7 December`."""
    return long_day(day, language).rsplit(" ", 1)[0]


def short_day(day: date, language: str) -> str:
    """Return `lun., 7 dec.` or `Mon 7 Dec`."""
    names = _NAMES[language]
    return f"{names.short_weekdays[day.weekday()]}{names.comma} {day.day} {names.short_months[day.month - 1]}"


def short_month(day: date, language: str) -> str:
    """Return `dec.` or `Dec`."""
    return _NAMES[language].short_months[day.month - 1]


def month(day: date, language: str) -> str:
    """Return `decembrie 2026` or `December 2026`."""
    return f"{_NAMES[language].months[day.month - 1]} {day.year}"


def sentence(text: str) -> str:
    """Return the text with its first letter as a sentence begins."""
    return text[:1].upper() + text[1:]


def wall_time(moment: datetime, timezone: str) -> str:
    """Return what a clock on a wall in `timezone` shows: `09:00`."""
    return f"{moment.astimezone(ZoneInfo(timezone)):%H:%M}"


def city(timezone: str, language: str) -> str:
    """Return how people call the zone: its city, or the zone's own name where it has none."""
    name = timezone.rsplit("/", 1)[-1].replace("_", " ")
    return _CITIES[language].get(name, name)


def tell_apart(moment: datetime, first: str, second: str) -> bool:
    """Say whether clocks in the two zones show different times at `moment`."""
    return moment.astimezone(ZoneInfo(first)).utcoffset() != moment.astimezone(ZoneInfo(second)).utcoffset()


def is_repeated(moment: datetime, timezone: str) -> bool:
    """Say whether the wall time of `moment` occurs twice that day, because the clock is put back."""
    local = moment.astimezone(ZoneInfo(timezone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def offset(moment: datetime, timezone: str) -> str:
    """Return the zone's distance from UTC at `moment`: `UTC+3`, `UTC−4:30`."""
    distance = moment.astimezone(ZoneInfo(timezone)).utcoffset() or timedelta()
    hours, minutes = divmod(abs(int(distance.total_seconds())) // 60, 60)
    sign = "−" if distance < timedelta() else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02d}" if minutes else "")
