"""Today: the front page of a clinic, one column a specialist, told of every change while it is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.board import board_of, etag_of, status_name
from apps.scheduling.admin.sharing import Shared
from apps.scheduling.admin.trays import Tray, trays_of
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.selectors.day import Day, day_of
from apps.scheduling.selectors.seven_days import SevenDays
from restartix.kernel import clock
from restartix.kernel.admin.entry import Entry, Workplace, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import STAFF
from restartix.kernel.streams import Ticket
from restartix.templatetags.days import language

site: Any = admin.site
SHARED = Shared()


def today(request: HttpRequest) -> HttpResponse:
    """Show the day named by `date`, or today's, on the clinic's clock."""
    entry = entry_of(request)
    day = _day(request, entry)
    shown, now = day.date, local_today(entry)
    context = {
        **site.each_context(request),
        **live(request, day, _refresh_url(shown), back=_address_of(shown)),
        "title": _("Today") if shown == now else _("Day"),
        "is_front": True,
        "follows_today": not request.GET.get("date"),
        "previous": shown - timedelta(days=1),
        "next": shown + timedelta(days=1),
        "local_today": now,
        "booking_url": reverse("booking:services", args=[place_of(entry).slug]),
        "steps": _first_steps() if not day.columns else [],
    }
    return TemplateResponse(request, "admin/scheduling/today.html", context)


def board(request: HttpRequest) -> HttpResponse:
    """Answer with the live part of the day alone; 304 while it shows what the page that asks has already."""
    day = _day(request, entry_of(request))
    return live_part(request, day, back=_address_of(day.date))


def stream(request: HttpRequest) -> HttpResponse:
    """Let the page hear that something of the clinic changed; what it is, the page asks by itself."""
    return Ticket(place_of(entry_of(request)).id)


# -- the live part of a day or a week ----------------------------------------------------------------------------------


def live_part(request: HttpRequest, shown: Day | SevenDays, *, back: str) -> HttpResponse:
    """Answer with the live part of a page that shows a day or a week, or 304 if it shows that already."""
    trays = _trays(request, shown)
    etag = etag_of(shown, trays)
    if request.headers.get("If-None-Match") == etag:
        answer = HttpResponse(status=304)
    else:
        around = _around(request, back)
        seen_by = place_of(entry_of(request)).id, language(), etag, around["add_url"], back
        answer = HttpResponse(SHARED.html(seen_by, lambda: _rendered({**around, "trays": trays}, shown)))
    answer["ETag"] = etag
    return answer


def live(request: HttpRequest, shown: Day | SevenDays, refresh_url: str, *, back: str) -> dict[str, Any]:
    """Return what a page needs that shows a day or a week and keeps it fresh."""
    trays = _trays(request, shown)
    return {
        **_around(request, back),
        "board": board_of(shown, clock.now()),
        "trays": trays,
        "etag": etag_of(shown, trays),
        "refresh_url": refresh_url,
        "stream_url": reverse("admin:board_stream"),
    }


def _rendered(around: dict[str, Any], shown: Day | SevenDays) -> str:
    return render_to_string("admin/scheduling/board.html", {**around, "board": board_of(shown, clock.now())})


def _trays(request: HttpRequest, shown: Day | SevenDays) -> list[Tray]:
    return trays_of(request, entry_of(request)) if isinstance(shown, Day) else []


def _around(request: HttpRequest, back: str) -> dict[str, Any]:
    visits = site.get_model_admin(Appointment)
    return {
        "statuses": [(status, status_name(status)) for status in AppointmentStatus.values],
        "back": back,
        "add_url": visits.url_of("add") if visits.has_add_permission(request) else "",
    }


def place_of(entry: Entry) -> Workplace:
    """Return the clinic that is open. Raises Http404 where all of them are looked at: a board is of one."""
    if entry.workplace is None:
        raise Http404
    return entry.workplace


def local_today(entry: Entry) -> date:
    """Return today's date on the clinic's clock."""
    return clock.now().astimezone(ZoneInfo(place_of(entry).timezone)).date()


def asked_day(request: HttpRequest, entry: Entry) -> date:
    """Return the day of the address; anything that is no day between 1971 and 9997 is today."""
    try:
        asked = date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return local_today(entry)
    return asked if 1970 < asked.year < 9998 else local_today(entry)


def _day(request: HttpRequest, entry: Entry) -> Day:
    return day_of(asked_day(request, entry), timezone=place_of(entry).timezone, actor=entry.actor)


def _address_of(day: date) -> str:
    return f"{reverse('admin:index')}?date={day.isoformat()}"


def _refresh_url(day: date) -> str:
    return f"{reverse('admin:board')}?date={day.isoformat()}"


def _first_steps() -> list[tuple[str, str, bool]]:
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
site.add_page(Page(path="today/stream/", name="board_stream", view=stream, may=STAFF))
