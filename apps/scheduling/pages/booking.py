"""The last two steps: keeping a time while the details are typed, and booking it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.scheduling.errors import HoldAlreadyBooked, HoldExpired, HoldQuotaExceeded, SlotUnavailable
from apps.scheduling.models import Hold
from apps.scheduling.models.templates import Mode
from apps.scheduling.pages import choices
from apps.scheduling.pages.choices import Choice
from apps.scheduling.pages.choosing import times_page
from apps.scheduling.pages.forms import DetailsForm
from apps.scheduling.pages.visits import BOOK, HEARTBEAT, HOLD, RELEASE, Visit, visited
from apps.scheduling.services import bookings, holds, management
from restartix.kernel import clock, dates
from restartix.kernel import wording as words
from restartix.kernel.api.standards import time_zones
from restartix.kernel.errors import Invalid, NotFound, RateLimited
from restartix.kernel.tenancy import Actor

FORM_PAGE = ("GET", "HEAD", "POST")


@visited(methods=FORM_PAGE)
def hold(visit: Visit, service: str) -> HttpResponse:
    """Keep the time that was chosen and ask for the details; a time kept before is given back.

    The answer to the form is the page itself and no redirect: so the hold's token stands in no address.
    """
    sent = visit.request.POST
    start = _instant(sent.get("start"))
    if visit.request.method != "POST" or start is None:
        return visit.go("times", service=service, query={"with": visit.request.GET.get("with") or sent.get("with")})
    visit.count(HOLD)
    choice = choices.chosen(visit, service, sent.get("with"))
    _give_back(sent)
    form = DetailsForm(visit.organization, initial=_typed(sent))
    try:
        held, token = holds.hold(
            offering=choice.offering(),
            start=start,
            specialist_id=choice.specialist_id,
            source=holds.HoldSource(ip=visit.address, client_id=_uuid(sent.get("client"))),
            now=visit.now,
        )
    except (SlotUnavailable, Invalid):
        return _gone(choice, start, form)
    except HoldQuotaExceeded as refusal:
        return times_page(choice, notice=_quota(refusal.details["limit"]), typed=form.typed, status=refusal.status)
    return _details_page(choice, held, token, form)


@visited(methods=FORM_PAGE)
def details(visit: Visit, service: str) -> HttpResponse:
    """Book with the details sent, or only renew the hold (`keep`), or ask again for what is missing."""
    sent = visit.request.POST
    token = sent.get("token", "")
    try:
        held = holds.find(_uuid(sent.get("hold")) or UUID(int=0), token)
    except NotFound:
        return visit.go("times", service=service, query={"with": sent.get("with")})
    choice = choices.of_hold(visit, held, sent.get("with"))
    if "keep" in sent:
        return _keep(choice, held, token)
    form = DetailsForm(visit.organization, sent)
    if not form.is_valid():
        return _details_page(choice, held, token, form, status=422)
    return _book(choice, held, token, form)


@visited(RELEASE, methods=FORM_PAGE)
def release(visit: Visit, service: str) -> HttpResponse:
    """Give the time back and show the others."""
    sent = visit.request.POST
    _give_back(sent)
    return visit.go("times", service=service, query={"with": sent.get("with")})


def _keep(choice: Choice, held: Hold, token: str) -> HttpResponse:
    """Renew the hold and show the form again as it was."""
    sent = choice.visit.request.POST
    form = DetailsForm(choice.visit.organization, initial=_typed(sent))
    choice.visit.count(HEARTBEAT)
    try:
        held = holds.renew(hold_id=held.hold_id, token=token)
    except HoldExpired:
        return _gone(choice, held.started_at, form, lapsed=True)
    except HoldAlreadyBooked:
        return _booked_before(choice.visit)
    return _details_page(choice, held, token, form)


def _book(choice: Choice, held: Hold, token: str, form: DetailsForm) -> HttpResponse:
    visit = choice.visit
    try:
        visit.count(BOOK)
        booked = _booked(choice, held, token, _request(choice, form))
    except RateLimited as refusal:
        notice = _("Too many bookings came from your connection. Your details are still here: try later, or call us.")
        response = _details_page(choice, held, token, form, notice=notice, status=refusal.status)
        response["Retry-After"] = refusal.headers["Retry-After"]
        return response
    except (SlotUnavailable, Invalid):
        return _gone(choice, held.started_at, form, lapsed=True)
    except HoldAlreadyBooked:
        return _booked_before(visit)
    uid = booked.appointment.uid
    return visit.go("manage", uid=uid, query={"token": management.manage_token(uid), "booked": 1})


def _booked(choice: Choice, held: Hold, token: str, request: bookings.Request) -> bookings.Booked:
    """Book; where the hold has lapsed and its time is still free, take the time again: nobody wants to type twice."""
    by = Actor.anonymous()
    try:
        return bookings.book(hold_id=held.hold_id, token=token, request=request, by=by)
    except HoldExpired:
        choice.visit.count(HOLD)
    source = holds.HoldSource(ip=choice.visit.address)
    again, new_token = holds.hold(
        offering=choice.offering(),
        start=held.started_at,
        specialist_id=held.specialist_id,
        source=source,
        now=clock.now(),
    )
    return bookings.book(hold_id=again.hold_id, token=new_token, request=request, by=by)


def _request(choice: Choice, form: DetailsForm) -> bookings.Request:
    """Return what the form says; whoever comes to the clinic goes by its clock, whatever the browser's is."""
    visit = choice.visit
    zone = visit.request.POST.get("zone", "")
    return bookings.Request(
        contact=form.contact,
        notes=form.cleaned_data["notes"],
        timezone=zone if choice.template.mode == Mode.VIDEO and zone in time_zones() else None,
        locale=visit.language,
        consents=form.agreements,
    )


def _details_page(
    choice: Choice, held: Hold, token: str, form: DetailsForm, *, notice: str = "", status: int = 200
) -> HttpResponse:
    visit, zone = choice.visit, choice.visit.organization.timezone
    day = held.started_at.astimezone(ZoneInfo(zone)).date()
    name = str(next((each for each in choice.service.specialists if each.pk == held.specialist_id), ""))
    context = {
        **choice.context("details"),
        "form": form,
        "problems": list(form.problems) if form.is_bound else [],
        "notice": notice,
        "hold": held,
        "token": token,
        "start": f"{held.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "day": dates.sentence(dates.long_day(day, visit.language)),
        "time": dates.wall_time(held.started_at, zone),
        "until": dates.wall_time(held.ended_at, zone),
        "city": dates.city(zone, visit.language),
        "given_by": name,
        "kept_until": dates.wall_time(held.expires_at, zone),
        "now": clock.now().isoformat(),
        "last": held.max_expires_at.isoformat(),
        "cutoff": words.whole_hours(choice.template.cancel_cutoff_hours) if choice.template.cancel_cutoff_hours else "",
        "details_url": visit.url("details", service=choice.template.slug),
        "release_url": visit.url("release", service=choice.template.slug),
        "hold_url": visit.url("hold", service=choice.template.slug),
        "times_url": choice.url("times"),
        "stream": f"/v1/scheduling/holds/{held.hold_id}",
    }
    return visit.page("details", context, status=status)


def _gone(choice: Choice, start: datetime, form: DetailsForm, *, lapsed: bool = False) -> HttpResponse:
    """Say that the time is gone and show the nearest free ones; what was typed goes along."""
    time = dates.wall_time(start, choice.visit.organization.timezone)
    if lapsed:
        notice = _("{time} could not be kept any longer and somebody else has taken it. Your details are not lost.")
    else:
        notice = _("{time} has just been taken or can no longer be booked.")
    return times_page(choice, notice=notice.format(time=time), nearest_to=start, typed=form.typed, status=409)


def _booked_before(visit: Visit) -> HttpResponse:
    context = {
        "heading": _("This booking has been made already"),
        "advice": _("The confirmation is in your e-mail, with a link to see or cancel the appointment."),
    }
    return visit.page("problem", context, status=409)


def _quota(limit: int) -> str:
    text = ngettext(
        "You are keeping %(count)d time already, as many as one visitor may. It becomes free in a few minutes.",
        "You are keeping %(count)d times already, as many as one visitor may. They become free in a few minutes.",
        limit,
    )
    return text % {"count": limit}


def _give_back(sent: Mapping[str, Any]) -> None:
    """Release the hold that the form knows of, if there is one and it is still alive."""
    hold_id = _uuid(sent.get("hold"))
    if hold_id is None:
        return
    try:
        holds.release(hold_id=hold_id, token=sent.get("token", ""))
    except (NotFound, HoldAlreadyBooked):
        return


def _typed(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was filled in on an earlier page."""
    texts = {name: sent.get(name, "") for name in ("name", "email", "phone", "notes")}
    return {**texts, **{name: True for name in sent if name.startswith("agree_")}}


def _instant(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
