"""The first three steps: which service, with whom, and when."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.scheduling.pages import calendars, choices
from apps.scheduling.pages.choices import Choice
from apps.scheduling.pages.visits import TIMESLOTS, Visit, visited
from apps.scheduling.selectors import openings
from apps.scheduling.selectors.booking import bookable_templates
from apps.scheduling.selectors.offers import local_date
from apps.scheduling.selectors.openings import Opening, Search
from restartix.kernel import dates

#: How many of the next free times are listed at first.
NEXT = 10


@visited(TIMESLOTS)
def services(visit: Visit) -> HttpResponse:
    """Show what can be booked; where that is one thing only, go on to it."""
    offered = bookable_templates(visit.organization, now=visit.now)
    if len(offered) == 1:
        return visit.go("specialists", service=offered[0].template.slug)
    return visit.page("services", {"services": [choices.service_card(visit, each) for each in offered]})


@visited(TIMESLOTS)
def specialists(visit: Visit, service: str) -> HttpResponse:
    """Show who gives the service and when each is free next; where that is one person only, go on."""
    choice = choices.chosen(visit, service)
    if not choice.has_other_specialists:
        return visit.go("times", service=service)
    firsts = openings.first_of_each(choice.search())
    people = [_person(choice, specialist, firsts.get(specialist.pk)) for specialist in choice.service.specialists]
    context = {
        **choice.context("specialist"),
        "people": people,
        "anyone_url": choice.url("times"),
        "anyone_next": _next(visit, min(firsts.values(), default=None)),
    }
    return visit.page("specialists", context)


def _person(choice: Choice, specialist: Any, first: int | None) -> dict[str, Any]:
    initials = "".join(word[0] for word in specialist.name.split()[:2]).upper()
    return {
        "name": str(specialist),
        "description": specialist.description,
        "initials": initials,
        "picture": f"/v1/public/images/{specialist.avatar}" if specialist.avatar else "",
        "next": _next(choice.visit, first),
        "url": choice.visit.url("times", service=choice.template.slug, query={"with": specialist.pk}),
    }


def _next(visit: Visit, second: int | None) -> str:
    """Say when somebody is free next."""
    if second is None:
        return _("nothing free in the next 31 days")
    (time,) = calendars.times_of([(second, ())], timezone=visit.organization.timezone, language=visit.language)
    return _("next free: {time}").format(time=f"{dates.short_day(time.day, visit.language)}, {time.text}")


@visited(TIMESLOTS)
def times(visit: Visit, service: str) -> HttpResponse:
    """Show a month with the number of free times of each day, and the times of one day or the next ones."""
    return times_page(choices.chosen(visit, service, visit.request.GET.get("with")))


def times_page(
    choice: Choice,
    *,
    notice: str = "",
    nearest_to: datetime | None = None,
    typed: Iterable[tuple[str, str]] = (),
    status: int = 200,
) -> HttpResponse:
    """Show the times; `nearest_to` those around a time that is gone, `typed` what has been filled in so far."""
    visit, search = choice.visit, choice.search()
    zone, language = visit.organization.timezone, visit.language
    day, month_asked = _date(visit.request.GET.get("day")), _date(f"{visit.request.GET.get('month')}-01")
    upcoming = openings.upcoming(search, count=NEXT)
    shown = _month_shown(search, day or month_asked, upcoming)
    month = openings.of_month(search, shown).slots
    if nearest_to is not None:
        day, found = None, openings.nearest(search, wish=nearest_to, count=6) or upcoming
    else:
        found = _on_day(month, day, zone, language) if day else upcoming
    listed = calendars.times_of(found, timezone=zone, language=language)
    context = {
        **choice.context("time"),
        "groups": calendars.by_part(listed) if day else calendars.by_day(listed, language),
        "day": dates.sentence(dates.long_day(day, language)) if day else "",
        "has_times": bool(upcoming),
        "notice": notice,
        "is_nearest": nearest_to is not None,
        "typed": list(typed),
        "month": _month(choice, search, shown, month, day),
        "next_url": choice.url("times"),
        "wait_url": choice.url("wait"),
        "hold_url": visit.url("hold", service=choice.template.slug),
        "city": dates.city(zone, language),
        "stream": _stream(choice),
        "occupies": choice.template.duration_minutes + choice.template.gap_minutes,
    }
    return visit.page("times", context, status=status)


def _stream(choice: Choice) -> str:
    """Return where times being taken and given back are told (contract/scheduling.md 4, 2)."""
    wanted = f"&specialist_id={choice.specialist_id}" if choice.specialist_id else ""
    return f"/v1/scheduling/timeslots/stream?appointment_template_id={choice.template.pk}{wanted}"


def _month_shown(search: Search, asked: date | None, upcoming: list[Opening]) -> date:
    """Return a day of the month to show: the one asked for, else that of the first free time; none out of reach."""
    if asked is None and upcoming:
        asked = local_date(datetime.fromtimestamp(upcoming[0][0], UTC), search.timezone)
    return min(max(asked or search.first_day, search.first_day), search.last_day)


def _month(choice: Choice, search: Search, shown: date, found: Iterable[Opening], day: date | None) -> calendars.Month:
    return calendars.month_of(
        shown,
        found,
        timezone=search.timezone,
        language=choice.visit.language,
        today=search.first_day,
        last=search.last_day,
        chosen=day,
        day_url=lambda number: choice.url("times", day=number.isoformat()),
        month_url=lambda number: choice.url("times", month=f"{number:%Y-%m}"),
    )


def _on_day(found: Iterable[Opening], day: date, zone: str, language: str) -> list[Opening]:
    known = list(found)
    shown = calendars.times_of(known, timezone=zone, language=language)
    return [opening for opening, time in zip(known, shown, strict=True) if time.day == day]


def _date(text: str | None) -> date | None:
    """Return the date that an address names, None where it names none."""
    try:
        return date.fromisoformat(text) if text and re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        return None
