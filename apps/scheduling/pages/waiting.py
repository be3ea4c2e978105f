"""The waiting list for visitors: to ask to be told of a free time, and one's own entry by its link."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.scheduling.lifecycles import WaitlistStatus
from apps.scheduling.models import WaitlistEntry
from apps.scheduling.models.templates import Mode
from apps.scheduling.pages import choices
from apps.scheduling.pages.choices import Choice
from apps.scheduling.pages.forms import WaitingForm
from apps.scheduling.pages.visits import MANAGE, WAIT, Visit, visited
from apps.scheduling.selectors.offers import local_date
from apps.scheduling.services import waiting
from restartix.kernel import dates
from restartix.kernel.api.standards import time_zones
from restartix.kernel.errors import Invalid, NotFound, RateLimited
from restartix.kernel.tenancy import Actor

FORM_PAGE = ("GET", "HEAD", "POST")
#: How far ahead the form proposes to wait.
PROPOSED_DAYS = 30


@visited(methods=FORM_PAGE)
def wait(visit: Visit, service: str) -> HttpResponse:
    """Ask who waits and for which days, and put them on the list."""
    sent = visit.request.POST
    choice = choices.chosen(visit, service, sent.get("with") or visit.request.GET.get("with"))
    today = local_date(visit.now, visit.organization.timezone)
    if visit.request.method != "POST":
        proposed = {"date_from": today, "date_to": today + timedelta(days=PROPOSED_DAYS)}
        return _form_page(choice, WaitingForm(visit.organization, today, initial=proposed))
    form = WaitingForm(visit.organization, today, sent)
    if not form.is_valid():
        return _form_page(choice, form, status=422)
    try:
        visit.count(WAIT)
    except RateLimited as refusal:
        notice = _("Too many requests came from your connection. Your details are still here: try later, or call us.")
        response = _form_page(choice, form, notice=notice, status=refusal.status)
        response["Retry-After"] = refusal.headers["Retry-After"]
        return response
    entry = waiting.join(choice.offering(), _wish(choice, form), by=Actor.anonymous())
    return _shown(visit, entry.uid, joined=1)


def _wish(choice: Choice, form: WaitingForm) -> waiting.Wish:
    """Return what the form says; whoever comes to the clinic goes by its calendar, whatever the browser's is."""
    zone = choice.visit.request.POST.get("zone", "")
    return waiting.Wish(
        contact=form.contact,
        date_from=form.cleaned_data["date_from"],
        date_to=form.cleaned_data["date_to"],
        specialist_id=choice.specialist_id,
        timezone=zone if choice.template.mode == Mode.VIDEO and zone in time_zones() else None,
        locale=choice.visit.language,
        consents=form.agreements,
    )


def _form_page(choice: Choice, form: WaitingForm, *, notice: str = "", status: int = 200) -> HttpResponse:
    context = {
        **choice.context("time"),
        "form": form,
        "problems": list(form.problems) if form.is_bound else [],
        "notice": notice,
        "wait_url": choice.visit.url("wait", service=choice.template.slug),
        "times_url": choice.url("times"),
    }
    return choice.visit.page("wait", context, status=status)


@visited(MANAGE, methods=FORM_PAGE)
def entry(visit: Visit, uid: UUID) -> HttpResponse:
    """Show how the entry stands; take it off the list (`leave`), or put it back on (`again`)."""
    sent, token = visit.request.POST, visit.request.POST.get("token") or visit.request.GET.get("token", "")
    found = waiting.find(uid=uid, token=token)
    if "leave" in sent:
        waiting.leave(uid=uid, token=token)
        return _shown(visit, uid)
    if "again" in sent:
        return _again(visit, found)
    return visit.page("waiting", {**_described(visit, found), "token": token, "is_new": "joined" in visit.request.GET})


def _again(visit: Visit, found: WaitlistEntry) -> HttpResponse:
    """Put whoever was told back on the list; where that cannot be done as it was, show the form or what there is."""
    service = found.appointment_template.slug
    try:
        visit.count(WAIT)
        return _shown(visit, waiting.join_again(found, by=Actor.anonymous()).uid, joined=1)
    except Invalid:
        return visit.go("wait", service=service)
    except NotFound:
        return visit.go("services")


def _shown(visit: Visit, uid: UUID, **query: Any) -> HttpResponse:
    return visit.go("waiting", uid=uid, query={"token": waiting.token_of(uid), **query})


def _described(visit: Visit, found: WaitlistEntry) -> dict[str, Any]:
    """Return what the page shows of an entry."""
    language, template, told = visit.language, found.appointment_template, found.notified_start
    told_day = local_date(told, found.timezone) if told else None
    at_clinic = local_date(told, visit.organization.timezone) if told else None
    query = {"with": found.specialist_id, "day": at_clinic}
    return {
        "entry": found,
        "is_waiting": found.status == WaitlistStatus.WAITING,
        "heading": _heading(found),
        "service": template.name,
        "specialist": found.specialist,
        "days": _days(found.date_from, found.date_to, language),
        "told": f"{dates.day_in_year(told_day, language)}, {dates.wall_time(told, found.timezone)}"
        if told and told_day
        else "",
        "may_wait_again": found.status in (WaitlistStatus.NOTIFIED, WaitlistStatus.REMOVED)
        and found.contact_email
        and found.date_to >= local_date(visit.now, found.timezone),
        "entry_url": visit.url("waiting", uid=found.uid),
        "times_url": visit.url("times", service=template.slug, query=query),
    }


def _heading(found: WaitlistEntry) -> str:
    return {
        WaitlistStatus.WAITING: _("You are on the waiting list"),
        WaitlistStatus.NOTIFIED: _("We have told you of a free time"),
        WaitlistStatus.REMOVED: _("You are no longer on the waiting list"),
        WaitlistStatus.EXPIRED: _("The days that you were waiting for are over"),
    }[WaitlistStatus(found.status)]


def _days(first: date, last: date, language: str) -> str:
    if first == last:
        return dates.long_day(first, language)
    return f"{dates.long_day(first, language)} – {dates.long_day(last, language)}"
