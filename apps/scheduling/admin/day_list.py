"""The day on paper: one line a visit, by specialist, as the desk and the specialists print it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.my_day import day_asked
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.agenda import Visit, agenda
from restartix.kernel import clock
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import STAFF, Role

site: Any = admin.site


@dataclass(frozen=True, slots=True)
class Line:
    """One visit, on the clinic's clock."""

    visit: Visit
    begins: datetime
    ends: datetime
    status: str
    mode: str


def day_list(request: HttpRequest) -> HttpResponse:
    """Show the day named by `date` as paper shows it, of one `specialist` or of all, with `notes` if asked for."""
    entry = entry_of(request)
    if entry.workplace is None:
        return HttpResponseRedirect(reverse("admin:index"))
    day, people = day_asked(request), list(_people(entry))
    person = next((each for each in people if str(each.pk) == request.GET.get("specialist")), None)
    visits = agenda(day, timezone=entry.timezone, actor=entry.actor, specialist_id=person.pk if person else None)
    takes_place = [visit for visit in visits if not visit.is_off]
    context = {
        **site.each_context(request),
        "title": _("List of the day"),
        "day": day,
        "people": people,
        "person": person,
        "with_notes": "notes" in request.GET,
        "sheets": [(person, [_line(visit) for visit in each]) for person, each in groupby(takes_place, key=_whose)],
        "off_count": len(visits) - len(takes_place),
        "printed_at": localtime(clock.now()),
        "back": f"{reverse('admin:today')}?date={day.isoformat()}",
    }
    return TemplateResponse(request, "admin/scheduling/day_list.html", context)


def _people(entry: Entry) -> Any:
    """Return whose lists this person may print."""
    rows = Specialist.objects.alive().order_by("name", "pk")
    return rows.filter(user_id=entry.actor.user_id or 0) if entry.role == Role.SPECIALIST else rows


def _whose(visit: Visit) -> Specialist:
    return visit.appointment.specialist


def _line(visit: Visit) -> Line:
    row = visit.appointment
    names: Any = {field: dict(Appointment._meta.get_field(field).flatchoices) for field in ("status", "mode")}  # type: ignore[union-attr]
    begins, ends = localtime(row.started_at), localtime(row.ended_at)
    return Line(visit, begins, ends, names["status"][row.status], names["mode"][row.mode])


site.add_page(Page("today/print/", "day_list", day_list, may=STAFF))
