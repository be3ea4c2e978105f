"""Why is this time not offered? Every rule that stands in the way, in words, with a link to what can be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.models import Specialist
from apps.scheduling.admin.visit_forms import ExactMoment
from apps.scheduling.domain.explaining import Code
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.explaining import Reason, Standing, explain
from restartix.kernel import clock, dates
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.roles import STAFF
from restartix.templatetags.days import language

site: Any = admin.site
Details = Mapping[str, Any]
#: Nothing that an address fills in is longer.
LONGEST = 40


@dataclass(frozen=True, slots=True)
class Told:
    """One reason in words, and where it can be looked at or changed."""

    text: str
    link: str = ""
    url: str = ""


class QuestionForm(forms.Form):
    """Which service, at which moment, perhaps with whom."""

    service = forms.ModelChoiceField(AppointmentTemplate.objects.none(), label=gettext_lazy("Service"))
    start = ExactMoment(label=gettext_lazy("Start"))
    specialist = forms.ModelChoiceField(
        Specialist.objects.none(),
        label=gettext_lazy("Specialist"),
        required=False,
        empty_label=gettext_lazy("everybody who offers it"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's services and specialists."""
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["service"].queryset = AppointmentTemplate.objects.alive().order_by("name", "pk")
        fields["specialist"].queryset = Specialist.objects.alive().order_by("name", "pk")


def why(request: HttpRequest) -> HttpResponse:
    """Ask on a bare address; with a service and a start in it, answer."""
    if entry_of(request).workplace is None:
        raise Http404
    is_asked = "service" in request.GET and "start" in request.GET
    begin = {name: request.GET[name][:LONGEST] for name in ("service", "specialist", "start") if name in request.GET}
    form = QuestionForm(request.GET) if is_asked else QuestionForm(initial={"start": _next_hour(), **begin})
    context = {
        **site.each_context(request),
        "title": _("Why is a time not offered?"),
        "form": form,
        "answer": _answer(request, form) if is_asked and form.is_valid() else None,
    }
    return TemplateResponse(request, "admin/scheduling/why.html", context)


def _next_hour() -> datetime:
    return timezone.localtime(clock.now()).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _answer(request: HttpRequest, form: QuestionForm) -> dict[str, Any]:
    asked = form.cleaned_data
    person = asked["specialist"]
    found = explain(
        asked["service"],
        start=asked["start"],
        now=clock.now(),
        actor=entry_of(request).actor,
        specialist_id=person and person.pk,
    )
    local = timezone.localtime(found.start)

    def told(standing: Standing) -> tuple[Standing, list[Told]]:
        return standing, [in_words(reason, standing, found.template) for reason in standing.reasons]

    return {
        "explanation": found,
        "day": local.date(),
        "time": f"{local:%H:%M}",
        "standings": [told(each) for each in found.standings],
        "is_public": found.template.is_public,
        "template_url": _template_url(found.template),
        "board_url": f"{reverse('admin:index')}?date={local.date().isoformat()}",
    }


def _template_url(template: AppointmentTemplate) -> str:
    return reverse("admin:scheduling_appointmenttemplate_change", args=[template.pk])


def in_words(reason: Reason, standing: Standing, template: AppointmentTemplate) -> Told:
    """Say a reason as the desk would, on the clinic's clock; hours and exceptions on the specialist's own."""
    if reason.code in (Code.BOOKING, Code.HOLD):
        return _occupied(reason)
    text = _TEXTS[reason.code](reason.details, template)
    if reason.code in _OF_HOURS:
        person = standing.specialist
        return Told(text, _("Hours of %(name)s") % {"name": person}, reverse("admin:hours_of", args=[person.pk]))
    if reason.code == Code.LICENCE:
        person = standing.specialist
        return Told(text, str(person), reverse("admin:profiles_specialist_change", args=[person.pk]))
    return Told(text, template.name, _template_url(template))


#: What is changed on the page of a specialist's hours.
_OF_HOURS = (Code.NOT_BOOKABLE, Code.OUTSIDE_HOURS, Code.OVERRIDE)


def _inactive(details: Details, template: AppointmentTemplate) -> str:
    if details["of"] == "template":
        return _("The service is switched off.")
    return _("Is switched off for this service.")


def _too_soon(details: Details, template: AppointmentTemplate) -> str:
    told = _("Too soon: patients book at least %(minutes)s minutes ahead. The desk may book it.")
    return told % {"minutes": template.min_notice_minutes}


def _too_far(details: Details, template: AppointmentTemplate) -> str:
    told = _("Too far ahead: patients book at most %(days)s days ahead. The desk may book it.")
    return told % {"days": template.horizon_days}


def _unlicensed(details: Details, template: AppointmentTemplate) -> str:
    day = dates.long_day(date.fromisoformat(details["expires_on"]), language())
    return _("The licence ends on %(day)s.") % {"day": day}


def _outside(details: Details, template: AppointmentTemplate) -> str:
    day = dates.day_in_year(date.fromisoformat(details["date"]), language())
    if not details["hours"]:
        return _("Does not work on %(day)s.") % {"day": day}
    hours = _spans(details["hours"], details["timezone"])
    return _("The visit has to lie wholly in the working hours: on %(day)s %(hours)s.") % {"day": day, "hours": hours}


def _excepted(details: Details, template: AppointmentTemplate) -> str:
    """Say which exception rules the day; its own times, and what is left."""
    day = dates.day_in_year(date.fromisoformat(details["date"]), language())
    kinds = [
        (_("works") if each["availability"] else _("away")) + (f" ({each['note']})" if each["note"] else "")
        for each in details["overrides"]
    ]
    left = _spans(details["hours"], details["timezone"]) or _("nothing")
    told = _("An exception rules %(day)s: %(kinds)s. Left of the day: %(hours)s.")
    return told % {"day": day, "kinds": ", ".join(kinds), "hours": left}


def _spans(hours: list[dict[str, str]], zone: str) -> str:
    clocks = [[_moment(each[key]).astimezone(ZoneInfo(zone)) for key in ("start", "end")] for each in hours]
    return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in clocks)


def _beside(details: Details, template: AppointmentTemplate) -> str:
    near = [f"{timezone.localtime(_moment(text)):%H:%M}" for text in (details["before"], details["after"]) if text]
    told = _("Not a start of the grid, which steps by %(minutes)s minutes. Nearby: %(near)s. The desk may book it.")
    return told % {"minutes": template.slot_step_minutes, "near": ", ".join(near)}


#: What is said of each rule but those of claims.
_TEXTS: dict[Code, Callable[[Details, AppointmentTemplate], str]] = {
    Code.NOT_ATTACHED: lambda details, template: _("Does not offer this service."),
    Code.INACTIVE: _inactive,
    Code.NOT_BOOKABLE: lambda details, template: _("Takes no bookings: switched off, without a time zone, or deleted."),
    Code.OUTSIDE_HOURS: _outside,
    Code.OVERRIDE: _excepted,
    Code.OFF_GRID: _beside,
    Code.MIN_NOTICE: _too_soon,
    Code.HORIZON: _too_far,
    Code.LICENCE: _unlicensed,
}


def _occupied(reason: Reason) -> Told:
    start, end = (timezone.localtime(_moment(reason.details[key])) for key in ("start", "end"))
    span = f"{start:%H:%M}–{end:%H:%M}"
    if reason.code == Code.HOLD:
        until = timezone.localtime(_moment(reason.details["expires_at"]))
        told = _("Somebody is choosing %(span)s right now; it is kept until %(until)s.")
        return Told(told % {"span": span, "until": f"{until:%H:%M:%S}"})
    told = _("Taken by another visit, its pause included: %(span)s.") % {"span": span}
    number = reason.details["appointment_id"]
    if number is None:
        return Told(told)
    return Told(told, _("Open the visit"), reverse("admin:scheduling_appointment_change", args=[number]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


site.add_page(Page("why/", "why", why, may=STAFF))
