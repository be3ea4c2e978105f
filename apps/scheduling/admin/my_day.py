"""My day: what a specialist needs to know next, the patient who comes next first. The front page of specialists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import localdate, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.models import Specialist
from apps.scheduling.admin import today
from apps.scheduling.admin.appointments import status_badge
from apps.scheduling.admin.briefs import Brief, briefs_of
from apps.scheduling.admin.trays import trays_of
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.agenda import Visit, agenda
from restartix.kernel import clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import CLINICIANS, STAFF, Role

site: Any = admin.site


@dataclass(frozen=True, slots=True)
class Shown:
    """A visit as the page shows it, on the clinic's clock."""

    visit: Visit
    begins: datetime
    ends: datetime
    status: str
    briefs: Sequence[Brief]
    moves: Sequence[Move] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """The visits of a day by when they are: `first` is under way or next, and None on any day but today."""

    first: Visit | None
    coming: list[Visit]
    past: list[Visit]
    off: list[Visit]


def parts_of(visits: Sequence[Visit], now: datetime) -> Parts:
    """Sort a day's visits: whoever is being treated comes first, else whoever comes next, however late."""
    taking = [visit for visit in visits if not visit.is_off]
    coming = [visit for visit in taking if visit.is_under_way or (visit.is_open and visit.appointment.ended_at > now)]
    coming.sort(key=lambda visit: (not visit.is_under_way, visit.appointment.started_at))
    past = [visit for visit in taking if visit not in coming]
    is_today = any(localdate(visit.appointment.started_at) <= localdate(now) for visit in coming)
    first = coming.pop(0) if coming and is_today else None
    return Parts(first, coming, past, [visit for visit in visits if visit.is_off])


def my_day(request: HttpRequest) -> HttpResponse:
    """Show the day named by `date`, or today's, of the specialist who is signed in."""
    entry = entry_of(request)
    if entry.workplace is None:
        return HttpResponseRedirect(reverse("admin:index"))
    now, day = clock.now(), day_asked(request)
    own = Specialist.objects.alive().filter(user_id=entry.actor.user_id or 0).first()
    visits = (
        agenda(day, timezone=entry.timezone, actor=entry.actor, specialist_id=own.pk, with_last=True) if own else []
    )
    parts, told = parts_of(visits, now), briefs_of(request, visits)

    def shown(visit: Visit, *, may_move: bool) -> Shown:
        return _shown(visit, told, _moves(request, visit) if may_move else ())

    context = {
        **site.each_context(request),
        "title": _("My day"),
        "specialist": own,
        "day": day,
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
        "local_today": localdate(now),
        "count": len(parts.coming) + len(parts.past) + bool(parts.first),
        "first": shown(parts.first, may_move=True) if parts.first else None,
        "coming": [shown(visit, may_move=False) for visit in parts.coming],
        "past": [shown(visit, may_move=visit.is_open) for visit in parts.past],
        "off": [shown(visit, may_move=False) for visit in parts.off],
        "trays": trays_of(request, entry) if own else [],
        "here": f"{request.path}?date={day.isoformat()}",
        "stream_url": reverse("admin:board_stream"),
    }
    return TemplateResponse(request, "admin/scheduling/my_day.html", context)


def _shown(visit: Visit, told: dict[int, list[Brief]], moves: Sequence[Move]) -> Shown:
    row = visit.appointment
    return Shown(visit, localtime(row.started_at), localtime(row.ended_at), status_badge(row), told[row.pk], moves)


def _moves(request: HttpRequest, visit: Visit) -> list[Move]:
    """Return what may be done with the visit, as its own page would offer it."""
    page: ServiceAdmin = site._registry[Appointment]  # noqa: SLF001 (the page of the same rows decides who may do what)
    return page.open_moves(request, visit.appointment)


def day_asked(request: HttpRequest) -> date:
    """Return the day of the address on the clinic's clock; anything that is no day between 1971 and 9997 is today."""
    try:
        asked = date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return localdate(clock.now())
    return asked if 1970 < asked.year < 9998 else localdate(clock.now())


# -- the front page ----------------------------------------------------------------------------------------------------


def front(request: HttpRequest) -> HttpResponse:
    """Show specialists their day, unless they ask for a day of the board, and everybody else the board."""
    if entry_of(request).role == Role.SPECIALIST and "date" not in request.GET:
        return HttpResponseRedirect(reverse("admin:my_day"))
    return today.today(request)


def board(request: HttpRequest) -> HttpResponse:
    """Show the board, whose front page it may be."""
    return HttpResponseRedirect(reverse("admin:index")) if entry_of(request).workplace is None else today.today(request)


site.front = front
site.add_page(Page("today/", "today", board, may=STAFF))
site.add_page(Page("my-day/", "my_day", my_day, may=CLINICIANS, app_label="scheduling", label=gettext_lazy("My day")))
