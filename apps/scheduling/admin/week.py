"""The week: seven days of one specialist, live as the day is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.models import Specialist
from apps.scheduling.admin.board import board_of, etag_of
from apps.scheduling.admin.today import Asked, asked_day, live, live_part, local_today, place_of
from apps.scheduling.domain.zones import span
from apps.scheduling.selectors.seven_days import DAYS, monday_of, seven_days_of
from apps.scheduling.selectors.stamps import stamp_of
from restartix.kernel import clock
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import STAFF, Role

site: Any = admin.site


def week(request: HttpRequest) -> HttpResponse:
    """Show the week of `date`, or this one, of the specialist who is named, or of the first."""
    entry = entry_of(request)
    people = _people(entry)
    context = {**site.each_context(request), "title": _("Week"), "people": people, "local_today": local_today(entry)}
    if people:
        context |= _week_of(request, _chosen(request, entry, people))
    return TemplateResponse(request, "admin/scheduling/week.html", context)


def week_board(request: HttpRequest) -> HttpResponse:
    """Answer with the live part of the week alone; 304 while it shows what the page that asks has already."""
    entry = entry_of(request)
    return live_part(request, _asked(request, entry, _chosen(request, entry, _people(entry))))


def _week_of(request: HttpRequest, person: Specialist) -> dict[str, Any]:
    entry = entry_of(request)
    first, asked = monday_of(asked_day(request, entry)), _asked(request, entry, person)
    refresh_url = f"{reverse('admin:week_board')}?{_query_of(person, first)}"
    return {
        **live(request, asked, asked.lay(), refresh_url),
        "person": person,
        "first": first,
        "last": first + timedelta(days=DAYS - 1),
        "previous": first - timedelta(days=DAYS),
        "next": first + timedelta(days=DAYS),
    }


def _asked(request: HttpRequest, entry: Entry, person: Specialist) -> Asked:
    first, timezone = monday_of(asked_day(request, entry)), place_of(entry).timezone
    last = first + timedelta(days=DAYS - 1)
    return Asked(
        etag=etag_of(person.pk, first, stamp_of(*span(timezone, first, last))),
        lay=lambda: board_of(seven_days_of(person, first, timezone=timezone), clock.now()),
        back=f"{reverse('admin:week')}?{_query_of(person, first)}",
    )


def _people(entry: Entry) -> Sequence[Specialist]:
    """Return whose weeks this person may see: specialists their own, the desk everybody's."""
    place_of(entry)
    rows = Specialist.objects.alive().order_by("name", "pk")
    return list(rows.filter(user_id=entry.actor.user_id or 0) if entry.role == Role.SPECIALIST else rows)


def _chosen(request: HttpRequest, entry: Entry, people: Sequence[Specialist]) -> Specialist:
    """Return the specialist who is named, else the person's own column, else the first; Http404 for one not theirs."""
    named = request.GET.get("specialist", "")
    if named:
        found = next((each for each in people if str(each.pk) == named), None)
    else:
        own = (each for each in people if each.user_id == entry.actor.user_id)
        found = next(own, people[0] if people else None)
    if found is None:
        raise Http404
    return found


def _query_of(person: Specialist, first: date) -> str:
    return urlencode({"specialist": person.pk, "date": first.isoformat()})


site.add_page(Page(path="week/", name="week", view=week, may=STAFF, app_label="scheduling", label=gettext_lazy("Week")))
site.add_page(Page(path="week/board/", name="week_board", view=week_board, may=STAFF))
