"""Working hours: everybody's at a glance, and one specialist's document with a preview of the next weeks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.models import Specialist
from apps.profiles.services import availability
from apps.scheduling.admin.hours_forms import HoursForm
from apps.scheduling.domain.zones import DAY
from apps.scheduling.selectors.week import Week, week_of, weeks_ahead
from restartix.kernel import clock, dates
from restartix.kernel.admin import trail
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.errors import Invalid, Refusal
from restartix.kernel.roles import ADMINS, STAFF
from restartix.templatetags.days import language

site: Any = admin.site
#: Exceptions that the list shows of each specialist.
SHOWN_EXCEPTIONS = 3


@dataclass(frozen=True, slots=True)
class Exceptional:
    """One exception, on the specialist's clock."""

    start: datetime
    end: datetime
    is_work: bool
    note: str


def hours(request: HttpRequest) -> HttpResponse:
    """Show everybody's zone, weekly hours and next exceptions; each leads to the editor."""
    now = clock.now()
    people = Specialist.objects.alive().order_by("name", "pk")
    rows = [
        {"person": person, "weekly": weekly_text(person.weekly), "exceptions": _coming(person, now)}
        for person in people
    ]
    context = {**site.each_context(request), "title": _("Working hours"), "rows": rows}
    return TemplateResponse(request, "admin/scheduling/availability.html", context)


def hours_of(request: HttpRequest, specialist_id: int) -> HttpResponse:
    """Show and replace one specialist's hours. `_preview` shows what would come of them and saves nothing.

    `?from=2027-03-25` chooses the week that is shown: one of those that the page offers.

    Raises PermissionDenied when somebody saves who is neither an admin nor the specialist.
    """
    person = Specialist.objects.alive().filter(pk=specialist_id).first()
    entry = entry_of(request)
    if person is None or entry.workplace is None:
        raise Http404
    may_write = _may_write(entry, person)
    if request.method == "POST" and not may_write:
        raise PermissionDenied
    form = HoursForm(person, entry.timezone, request.POST if request.method == "POST" else None)
    tried = _tried(request, person, form) if request.method == "POST" and form.is_valid() else None
    if tried is not None and "_preview" not in request.POST:
        messages.success(request, _("The hours of %(name)s were saved.") % {"name": person})
        return HttpResponseRedirect(request.path)
    week = tried.week if tried else week_of(person, now=clock.now(), first=_chosen(request, person))
    return _page(request, person, form, week, may_write=may_write, is_preview=tried is not None)


def _chosen(request: HttpRequest, person: Specialist) -> date | None:
    """Return the week that was asked for, None for the present one."""
    weeks = weeks_ahead(person, now=clock.now())
    return next((week for week in weeks if week.isoformat() == request.GET.get("from")), None)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of hours that the service accepted: the coming week, None without a zone."""

    week: Week | None


def _tried(request: HttpRequest, person: Specialist, form: HoursForm) -> Tried | None:
    """Replace the hours, for good or, with `_preview`, only to see; None, with errors in the form, if refused."""
    if form.is_stale:
        form.show_refusal(Invalid({"": [f"{STALE} {trail.last_change_text('specialist', person)}"]}))
        return None
    try:
        with transaction.atomic():
            replaced = availability.replace(person, by=entry_of(request).actor, **form.document())
            week = week_of(replaced, now=clock.now(), first=_chosen(request, replaced))
            transaction.set_rollback("_preview" in request.POST)
    except Refusal as refusal:
        form.show_refusal(refusal)
        return None
    return Tried(week)


STALE = gettext_lazy(
    "Somebody changed this while you had it open. Nothing was saved: look at the present values below."
)


def _may_write(entry: Entry, person: Specialist) -> bool:
    return entry.may(ADMINS) or (person.user_id is not None and person.user_id == entry.actor.user_id)


def _page(
    request: HttpRequest, person: Specialist, form: HoursForm, week: Week | None, *, may_write: bool, is_preview: bool
) -> HttpResponse:
    context = {
        **site.each_context(request),
        "title": _("Working hours of %(name)s") % {"name": person},
        "person": person,
        "form": form,
        "week": _told(week) if week else None,
        "weeks": weeks_ahead(person, now=clock.now()),
        "has_clock_change": bool(week and any(day.seconds != DAY for day in week.days)),
        "templates": week.templates if week else [],
        "may_write": may_write,
        "is_preview": is_preview,
        "list_url": reverse("admin:hours"),
    }
    return TemplateResponse(request, "admin/scheduling/hours.html", context)


def _told(week: Week) -> list[dict[str, Any]]:
    """Return the week's days with their times as the specialist's clock shows them."""
    zone = ZoneInfo(week.timezone)

    def clock_text(second: int) -> str:
        moment = datetime.fromtimestamp(second, zone)
        twice = f" ({dates.offset(moment, week.timezone)})" if dates.is_repeated(moment, week.timezone) else ""
        return f"{moment:%H:%M}{twice}"

    return [
        {
            "date": day.date,
            "clock_change": day.seconds - DAY,
            "hours": [f"{clock_text(start)}–{clock_text(end)}" for start, end in day.hours],
            "starts": [[clock_text(start) for start in starts] for starts in day.starts],
        }
        for day in week.days
    ]


def weekly_text(weekly: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return weekly hours as (days, times), neighbouring days with equal times together: ("Mon–Fri", "09:00–17:00")."""
    by_day: dict[int, list[str]] = {}
    for block in weekly:
        by_day.setdefault(block["day"], []).append(f"{block['start']}–{block['end']}")
    lines: list[tuple[int, int, str]] = []
    for day, times in sorted(by_day.items()):
        text = ", ".join(times)
        if lines and lines[-1][1] == day - 1 and lines[-1][2] == text:
            lines[-1] = (lines[-1][0], day, text)
        else:
            lines.append((day, day, text))
    names = dates.short_weekday_names(language())
    return [(names[first] if first == last else f"{names[first]}–{names[last]}", text) for first, last, text in lines]


def _coming(person: Specialist, now: datetime) -> list[Exceptional]:
    """Return the next exceptions, on the specialist's clock."""
    zone = ZoneInfo(person.scheduling_timezone or "UTC")
    every = [
        Exceptional(
            start=datetime.fromisoformat(each["start"]).astimezone(zone),
            end=datetime.fromisoformat(each["end"]).astimezone(zone),
            is_work=each["availability"],
            note=each.get("note") or "",
        )
        for each in person.overrides
    ]
    return [each for each in every if each.end > now][:SHOWN_EXCEPTIONS]


site.add_page(Page("hours/", "hours", hours, may=STAFF, app_label="profiles", label=gettext_lazy("Working hours")))
site.add_page(Page("hours/<int:specialist_id>/", "hours_of", hours_of, may=STAFF))
