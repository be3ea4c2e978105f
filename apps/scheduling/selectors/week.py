"""The coming days of one specialist: the hours, and the times that could be booked, by appointment template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from apps.profiles.models import Specialist
from apps.scheduling.domain.intervals import Interval
from apps.scheduling.domain.slots import available_intervals, open_starts
from apps.scheduling.domain.zones import span
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.busy import busy_periods
from apps.scheduling.selectors.offers import Provider, local_date, offer_of

DAYS = 7


@dataclass(frozen=True, slots=True)
class Coming:
    """One day: the hours that hold for every template, and the free starts of each, in the order of the templates."""

    date: date
    hours: Sequence[Interval]
    starts: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from today on the specialist's own clock."""

    timezone: str
    templates: Sequence[AppointmentTemplate]
    days: Sequence[Coming]


def coming_week(person: Specialist, *, now: datetime) -> Week | None:
    """Return the next seven days with the hours that `person` has in memory, saved or not; None without a zone.

    Two statements. Whether bookings are open at all is not asked: the page shows what would be.
    """
    zone = person.scheduling_timezone
    if not zone:
        return None
    first = local_date(now, zone)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    templates = _offered_by(person)
    start, end = span(zone, days[0], days[-1])
    longest = max((offer_of(each).duration + offer_of(each).gap for each in templates), default=0)
    busy = busy_periods([person.pk], start=start, end=end + longest)[person.pk]
    calendar = Provider(person, 0).calendar(busy, license_bounds=False)
    hours = dict(available_intervals(calendar, None, days[0], days[-1]))

    def free(template: AppointmentTemplate, day: date) -> list[int]:
        low, high = span(zone, day, day)
        return open_starts(calendar, offer_of(template), window_start=low, window_end=high, now=now.timestamp())

    coming = [Coming(day, hours[day], [free(template, day) for template in templates]) for day in days]
    return Week(zone, templates, coming)


def _offered_by(person: Specialist) -> list[AppointmentTemplate]:
    rows = AppointmentTemplate.objects.alive().filter(is_active=True, offers__specialist=person, offers__is_active=True)
    return list(rows.order_by("name", "pk"))
