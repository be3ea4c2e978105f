"""Free times laid out for people: a month with its counts, a day in its parts, the next times by day."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from django.utils.translation import gettext as _

from apps.scheduling.domain.zones import stamps
from apps.scheduling.pages import wording
from apps.scheduling.selectors.openings import Opening
from restartix.kernel import dates


@dataclass(frozen=True, slots=True)
class Time:
    """One free time: a button."""

    start: str
    text: str
    day: date
    #: The day as it is read aloud before the time.
    spoken_day: str
    specialist_ids: str
    #: Tells the two apart where the clock is put back and a wall time comes twice.
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Times under a heading."""

    heading: str
    times: list[Time]


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a month; a day outside of it has no date, a day without free times no address."""

    day: date | None = None
    count: int = 0
    #: What is read aloud around the two numbers: `Monday, 7 ... : 9 free times`.
    weekday: str = ""
    unit: str = ""
    url: str = ""
    is_chosen: bool = False
    is_today: bool = False


@dataclass(frozen=True, slots=True)
class Month:
    """A month with the number of free times of each day, weeks from Monday."""

    title: str
    #: As in a date: `decembrie 2026`.
    name: str
    weekdays: Sequence[tuple[str, str]]
    weeks: list[list[Cell]]
    before: str = ""
    after: str = ""
    total: int = field(default=0)


def times_of(openings: Iterable[Opening], *, timezone: str, language: str) -> list[Time]:
    """Return openings as the clocks of `timezone` show them."""
    known = list(openings)
    shown = stamps(timezone, [start for start, _ids in known])
    return [
        _time(datetime.fromtimestamp(start, UTC), ids, date.fromisoformat(day), wall, timezone, language)
        for (start, ids), (day, wall, _offset) in zip(known, shown, strict=True)
    ]


def _time(start: datetime, ids: tuple[int, ...], day: date, wall: str, timezone: str, language: str) -> Time:
    note = dates.offset(start, timezone) if dates.is_repeated(start, timezone) else ""
    spoken = dates.day_in_year(day, language)
    return Time(f"{start:%Y-%m-%dT%H:%M:%SZ}", wall, day, spoken, " ".join(map(str, ids)), note)


def by_day(times: Iterable[Time], language: str) -> list[Group]:
    """Return times under the day they are on."""
    days = groupby(times, key=lambda time: time.day)
    return [Group(dates.sentence(dates.day_in_year(day, language)), list(group)) for day, group in days]


def by_part(times: Iterable[Time]) -> list[Group]:
    """Return the times of one day as morning, afternoon and evening."""
    parts = groupby(times, key=_part)
    return [Group(heading, list(group)) for heading, group in parts]


def _part(time: Time) -> str:
    if time.text < "05:00":
        return _("Night")
    if time.text < "12:00":
        return _("Morning")
    return _("Afternoon") if time.text < "17:00" else _("Evening")


def month_of(
    day: date,
    openings: Iterable[Opening],
    *,
    timezone: str,
    language: str,
    today: date,
    last: date,
    chosen: date | None,
    day_url: Callable[[date], str],
    month_url: Callable[[date], str],
) -> Month:
    """Return the month of `day`; weeks that are over are left out, and ways to months that cannot be booked."""
    counts = Counter(date.fromisoformat(text) for text, _wall, _offset in stamps(timezone, [s for s, _ids in openings]))
    first = day.replace(day=1)
    before, after = first - timedelta(days=1), first + timedelta(days=calendar.monthrange(day.year, day.month)[1])

    def cell(number: date) -> Cell:
        if number.month != first.month:
            return Cell()
        count = counts[number]
        unit = wording.free_times(count).removeprefix(str(count))
        weekday = dates.weekday_names(language)[number.weekday()]
        url = day_url(number) if count else ""
        return Cell(number, count, weekday, unit, url, is_chosen=number == chosen, is_today=number == today)

    weeks = calendar.Calendar(firstweekday=calendar.MONDAY).monthdatescalendar(first.year, first.month)
    return Month(
        title=dates.sentence(dates.month(first, language)),
        name=dates.month(first, language),
        weekdays=[(name[:2], name) for name in dates.weekday_names(language)],
        weeks=[[cell(number) for number in week] for week in weeks if week[-1] >= today],
        before=month_url(before) if before >= today.replace(day=1) else "",
        after=month_url(after) if after <= last else "",
        total=counts.total(),
    )
