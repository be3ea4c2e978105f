"""Today: the front page of a clinic, one column a specialist, told of every change while it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from apps.scheduling.admin.board import Board, board_of, etag_of, status_name
from apps.scheduling.admin.sharing import Shared
from apps.scheduling.admin.trays import Tray, trays_of
from apps.scheduling.domain.zones import span
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.selectors.day import day_of, own_column
from apps.scheduling.selectors.stamps import stamp_of
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
    shown, now = asked_day(request, entry), local_today(entry)
    asked = _asked(request, entry)
    laid = asked.lay()
    context = {
        **site.each_context(request),
        **live(request, asked, laid, _refresh_url(shown)),
        "title": _("Today") if shown == now else _("Day"),
        "is_front": True,
        "follows_today": not request.GET.get("date"),
        "previous": shown - timedelta(days=1),
        "next": shown + timedelta(days=1),
        "local_today": now,
        "booking_url": reverse("booking:services", args=[place_of(entry).slug]),
        "steps": _first_steps() if not laid.columns else [],
    }
    return TemplateResponse(request, "admin/scheduling/today.html", context)


def board(request: HttpRequest) -> HttpResponse:
    """Answer with the live part of the day alone; 304 while it shows what the page that asks has already."""
    return live_part(request, _asked(request, entry_of(request)))


def stream(request: HttpRequest) -> HttpResponse:
    """Let the page hear that something of the clinic changed; what it is, the page asks by itself."""
    return Ticket(place_of(entry_of(request)).id)


# -- the live part of a day or a week ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks to see: a day or a week, which is read and laid out only if they have not seen it yet."""

    #: Names the present state of all that is shown; what ticks in the browser by itself does not count.
    etag: str
    lay: Callable[[], Board]
    #: The address of the page itself.
    back: str
    trays: Sequence[Tray] = ()


def live_part(request: HttpRequest, asked: Asked) -> HttpResponse:
    """Answer with the live part of a page alone, or 304 if the page shows that already."""
    if request.headers.get("If-None-Match") == asked.etag:
        answer = HttpResponse(status=304)
    else:
        seen_by = place_of(entry_of(request)).id, language(), asked.etag, _add_url(request), asked.back
        answer = HttpResponse(SHARED.html(seen_by, lambda: _rendered(request, asked)))
    answer["ETag"] = asked.etag
    return answer


def _rendered(request: HttpRequest, asked: Asked) -> str:
    return render_to_string("admin/scheduling/board.html", _shown(request, asked, asked.lay()))


def live(request: HttpRequest, asked: Asked, laid: Board, refresh_url: str) -> dict[str, Any]:
    """Return what a page needs that shows `laid` and keeps it fresh."""
    shown = _shown(request, asked, laid)
    return {**shown, "refresh_url": refresh_url, "stream_url": reverse("admin:board_stream")}


def _shown(request: HttpRequest, asked: Asked, laid: Board) -> dict[str, Any]:
    return {
        "board": laid,
        "trays": asked.trays,
        "etag": asked.etag,
        "statuses": [(status, status_name(status)) for status in AppointmentStatus.values],
        "back": asked.back,
        "add_url": _add_url(request),
    }


def _add_url(request: HttpRequest) -> str:
    visits = site.get_model_admin(Appointment)
    return visits.url_of("add") if visits.has_add_permission(request) else ""


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


def _asked(request: HttpRequest, entry: Entry) -> Asked:
    day, timezone, actor = asked_day(request, entry), place_of(entry).timezone, entry.actor
    trays = trays_of(request, entry)
    return Asked(
        etag=etag_of(day, own_column(actor), stamp_of(*span(timezone, day, day)), trays),
        lay=lambda: board_of(day_of(day, timezone=timezone, actor=actor), clock.now()),
        back=_address_of(day),
        trays=trays,
    )


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
