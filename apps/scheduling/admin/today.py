"""Today: the front page of a clinic, one column a specialist, refreshed while it is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.board import Board, Layout, status_name
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.day import day_of
from restartix.kernel import clock
from restartix.kernel.admin.entry import Entry, Workplace, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import DESK, STAFF

site: Any = admin.site
#: Milliseconds between two looks at the server while the page is visible.
REFRESH_MILLISECONDS = 4000


def today(request: HttpRequest) -> HttpResponse:
    """Show the day named by `date`, or today's, on the clinic's clock."""
    entry = entry_of(request)
    board = _board(request, entry)
    shown = board.day.date
    context = {
        **site.each_context(request),
        **_frame(request, entry, board),
        "title": _("Today") if shown == _local_today(entry) else _("Day"),
        "is_front": True,
        "previous": shown - timedelta(days=1),
        "next": shown + timedelta(days=1),
        "local_today": _local_today(entry),
        "booking_url": reverse("booking:services", args=[_place(entry).slug]),
        "refresh_url": reverse("admin:board"),
        "refresh_milliseconds": REFRESH_MILLISECONDS,
        "steps": _first_steps(entry) if not board.columns else [],
    }
    return TemplateResponse(request, "admin/scheduling/today.html", context)


def board(request: HttpRequest) -> HttpResponse:
    """Answer with the board alone; 304 while it shows what the page that asks has already."""
    laid = _board(request, entry_of(request))
    if request.headers.get("If-None-Match") == laid.etag:
        answer = HttpResponse(status=304)
    else:
        answer = TemplateResponse(request, "admin/scheduling/board.html", _frame(request, entry_of(request), laid))
    answer["ETag"] = laid.etag
    return answer


def _frame(request: HttpRequest, entry: Entry, laid: Board) -> dict[str, Any]:
    """Return what the board itself needs."""
    return {
        "board": laid,
        "statuses": [(status, status_name(status)) for status in AppointmentStatus.values],
        "may_release": entry.may(DESK),
        "back": f"{reverse('admin:index')}?date={laid.day.date.isoformat()}",
    }


def _place(entry: Entry) -> Workplace:
    assert entry.workplace is not None  # the site shows this page inside a clinic only
    return entry.workplace


def _local_today(entry: Entry) -> date:
    return clock.now().astimezone(ZoneInfo(_place(entry).timezone)).date()


def _board(request: HttpRequest, entry: Entry) -> Board:
    day = day_of(_asked_day(request, entry), timezone=_place(entry).timezone, actor=entry.actor)
    return Layout(day, clock.now()).board()


def _asked_day(request: HttpRequest, entry: Entry) -> date:
    """Return the day of the address; anything that is no day between 1970 and 9998 is today."""
    try:
        asked = date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return _local_today(entry)
    return asked if 1970 < asked.year < 9998 else _local_today(entry)


def _first_steps(entry: Entry) -> list[tuple[str, str, bool]]:
    """Return what a new clinic does first: what, where, and whether it is done."""
    people = Specialist.objects.alive()
    return [
        (_("Add the people who treat"), reverse("admin:profiles_specialist_changelist"), people.exists()),
        (_("Enter their weekly hours"), reverse("admin:hours"), people.filter(scheduling_active=True).exists()),
        (
            _("Describe what can be booked, and who offers it"),
            reverse("admin:scheduling_appointmenttemplate_changelist"),
            AppointmentTemplate.objects.offered().exists(),
        ),
    ]


site.front = today
site.add_page(Page(path="today/board/", name="board", view=board, may=STAFF))
