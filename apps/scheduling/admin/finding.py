"""Free times for the desk: a service, the next five times, and each leads to a visit that only wants its patient."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.models import Specialist
from apps.profiles.selectors import search
from apps.scheduling.admin.visit_forms import MOST_CANDIDATES, WALL, candidates
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.finding import FreeTime, next_free
from apps.scheduling.selectors.offers import offering
from restartix.kernel import clock, dates
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import STAFF, Role

site: Any = admin.site
#: How many times are shown at first, and how many when more are asked for.
FEW, MANY = 5, 30


def free(request: HttpRequest) -> HttpResponse:
    """Show the next free times of the service that is asked for; specialists look for their own."""
    entry = entry_of(request)
    if entry.workplace is None:
        raise Http404
    services = list(AppointmentTemplate.objects.alive().filter(is_active=True).order_by("name", "pk"))
    people = list(_people(entry))
    service = _named(services, request.GET.get("service", "")) or (services[0] if len(services) == 1 else None)
    person = _named(people, request.GET.get("specialist", ""))
    if entry.role == Role.SPECIALIST:
        person = people[0] if people else None
    first, shows_many = _day(request.GET.get("from", "")), "many" in request.GET
    patient = text if (text := request.GET.get("patient", "")).isascii() and text.isdigit() else ""
    found = _found(service, person, entry, first, MANY if shows_many else FEW) if service else []
    times = [_told(time, service, entry.timezone, patient) for time in found] if service else []
    carried = {"specialist": person and person.pk, "from": first, "patient": patient}
    asked = {name: said for name, said in carried.items() if said}
    context = {
        **site.each_context(request),
        "title": _("Free times"),
        "services": [(each, _address(service=each.pk, **asked)) for each in services],
        "service": service,
        "people": people,
        "person": person,
        "first": first,
        "days": [(day, list(of_day)) for day, of_day in groupby(times, key=lambda time: time["day"])],
        "has_more": len(found) == FEW and not shows_many,
        "more_url": _address(service=service.pk, **asked, many=1) if service else "",
        "patient": patient,
        "shows_all_people": entry.role != Role.SPECIALIST,
    }
    return TemplateResponse(request, "admin/scheduling/free.html", context)


def _people(entry: Entry) -> Any:
    rows = Specialist.objects.alive().order_by("name", "pk")
    return rows.filter(user_id=entry.actor.user_id or 0) if entry.role == Role.SPECIALIST else rows


def _named(rows: Iterable[Any], text: str) -> Any:
    """Return the row with the number that an address names, None where there is none."""
    return next((row for row in rows if str(row.pk) == text), None)


def _day(text: str) -> date | None:
    """Return the day that an address names, None for anything that is no day of this century."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def _address(**asked: Any) -> str:
    return f"?{urlencode(asked)}"


def _found(service: Any, person: Any, entry: Entry, first: date | None, count: int) -> list[FreeTime]:
    if entry.role == Role.SPECIALIST and person is None:
        return []
    offered = offering(service.pk, now=clock.now(), public_only=False)
    return next_free(offered, now=clock.now(), first=first, specialist_id=person and person.pk, count=count)


def _told(time: FreeTime, service: AppointmentTemplate, zone: str, patient: str) -> dict[str, Any]:
    """Return a time on the clinic's clock, with a link to make the visit with each who can take it."""
    moment = datetime.fromtimestamp(time.start, UTC).astimezone(ZoneInfo(zone))
    ends = (moment.astimezone(UTC) + timedelta(minutes=service.duration_minutes)).astimezone(ZoneInfo(zone))
    twice = f" ({dates.offset(moment, zone)})" if dates.is_repeated(moment, zone) else ""
    asked = {
        "template": service.pk,
        "started_at": f"{moment:{WALL}}",
        "exactly": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
    } | ({"patient": patient} if patient else {})
    people = [
        (
            each.specialist,
            f"{reverse('admin:scheduling_appointment_add')}{_address(**asked, specialist=each.specialist.pk)}",
        )
        for each in time.providers
    ]
    return {
        "day": moment.date(),
        "text": f"{moment:%H:%M}{twice}",
        "until": f"{ends:%H:%M}",
        "is_open": time.is_open,
        "people": people,
    }


def patient_suggestions(request: HttpRequest) -> HttpResponse:
    """Answer the box of a new visit: the patients that `q` means, with what tells namesakes apart."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    found = search.best(text, limit=MOST_CANDIDATES) if entry_of(request).workplace is not None else []
    told = [{"id": each.id, "name": each.name, "detail": each.detail} for each in candidates(found)]
    return JsonResponse({"q": text, "patients": told})


site.add_page(Page("free/", "free", free, may=STAFF, app_label="scheduling", label=gettext_lazy("Free times")))
site.add_page(Page("free/patients/", "patient_suggestions", patient_suggestions, may=STAFF))
