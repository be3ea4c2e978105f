"""A week of one specialist: the hours, and the times that could be booked, by appointment template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from apps.profiles.models import Specialist
from apps.scheduling.domain.intervals import Interval
from apps.scheduling.domain.slots import available_intervals, open_starts
from apps.scheduling.domain.zones import local_day, next_clock_change, span
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.busy import busy_periods
from apps.scheduling.selectors.offers import Provider, local_date, offer_of

DAYS = 7
#: Weeks that can be looked at one after the other, this one included.
WEEKS = 4
#: Seconds; beyond every week that is looked at.
FOR_EVER = 2 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class Coming:
    """One day: the hours that hold for every template, and the free starts of each, in the order of the templates."""

    date: date
    #: Seconds from one local midnight to the next: 82,800 or 90,000 when the clock is put forward or back by an hour.
    seconds: int
    hours: Sequence[Interval]
    starts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days on the specialist's own clock."""

    timezone: str
    templates: Sequence[AppointmentTemplate]
    days: Sequence[Coming]


def weeks_ahead(person: Specialist, *, now: datetime) -> list[date]:
    """Return the first days of the weeks worth a look: the next four, and the one around the next clock change."""
    zone = person.scheduling_timezone
    if not zone:
        return []
    today = local_date(now, zone)
    weeks = [today + timedelta(days=DAYS * number) for number in range(WEEKS)]
    change = next_clock_change(zone, weeks[-1] + timedelta(days=DAYS - 1))
    return [*weeks, change.date - timedelta(days=DAYS // 2)] if change else weeks


def week_of(person: Specialist, *, now: datetime, first: date | None = None) -> Week | None:
    """Return seven days from `first`, by default today, with the hours that `person` has in memory, saved or not.

    Two statements. None without a zone. Whether bookings are open at all is not asked, nor how far ahead patients may
    book: the page shows what would be.
    """
    zone = person.scheduling_timezone
    if not zone:
        return None
    first = first or local_date(now, zone)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    templates = _offered_by(person)
    start, end = span(zone, days[0], days[-1])
    longest = max((offer_of(each).duration + offer_of(each).gap for each in templates), default=0)
    busy = busy_periods([person.pk], start=start, end=end + longest)[person.pk]
    calendar = Provider(person, 0).calendar(busy, license_bounds=False)
    hours = dict(available_intervals(calendar, None, days[0], days[-1]))

    def free(template: AppointmentTemplate, day: date) -> list[int]:
        low, high = span(zone, day, day)
        offer = replace(offer_of(template), horizon=FOR_EVER)
        return open_starts(calendar, offer, window_start=low, window_end=high, now=now.timestamp())

    def told(day: date) -> Coming:
        local = local_day(zone, day.toordinal())
        return Coming(day, local.end - local.start, hours[day], [free(template, day) for template in templates])

    return Week(zone, templates, [told(day) for day in days])


def _offered_by(person: Specialist) -> list[AppointmentTemplate]:
    rows = AppointmentTemplate.objects.alive().filter(is_active=True, offers__specialist=person, offers__is_active=True)
    return list(rows.order_by("name", "pk"))
