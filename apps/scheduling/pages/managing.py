"""One's own appointment, by the link in the confirmation: to see it, to put it into a calendar, to cancel it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.translation import gettext as _

from apps.scheduling.errors import CutoffPassed
from apps.scheduling.lifecycles import MOVABLE, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.models.templates import Mode
from apps.scheduling.pages import wording
from apps.scheduling.pages.forms import CancelForm
from apps.scheduling.pages.visits import MANAGE, Visit, visited
from apps.scheduling.selectors.invitations import invitation
from apps.scheduling.services import appointments, management
from restartix.kernel import dates
from restartix.kernel import wording as words
from restartix.kernel.errors import InvalidTransition
from restartix.kernel.tenancy import Actor

GOOGLE = "https://calendar.google.com/calendar/render"
OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"


@visited(MANAGE)
def manage(visit: Visit, uid: UUID) -> HttpResponse:
    """Show the appointment."""
    appointment = management.find(uid=uid, token=_token(visit))
    return _page(visit, appointment)


@visited(MANAGE, methods=("GET", "HEAD", "POST"))
def cancel(visit: Visit, uid: UUID) -> HttpResponse:
    """Ask whether it is meant, then cancel."""
    token = _token(visit)
    appointment = management.find(uid=uid, token=token)
    form = CancelForm(visit.request.POST)
    if visit.request.method != "POST" or not form.is_valid():
        return visit.page("cancel", _described(visit, appointment))
    reason = form.cleaned_data["reason"]
    try:
        appointments.cancel(appointment, by=Actor.anonymous(), as_patient=True, reason=reason)
    except (CutoffPassed, InvalidTransition) as refusal:
        return _page(visit, appointment, notice=_("It could not be cancelled here any more."), status=refusal.status)
    return visit.go("manage", uid=uid, query={"token": token})


@visited(MANAGE)
def calendar_file(visit: Visit, uid: UUID) -> HttpResponse:
    """Give the appointment as a file that calendar programs read."""
    appointment = management.find(uid=uid, token=_token(visit))
    name = f'attachment; filename="appointment-{appointment.uid}.ics"'
    return HttpResponse(
        invitation(appointment), content_type="text/calendar; charset=utf-8", headers={"Content-Disposition": name}
    )


def _token(visit: Visit) -> str:
    return visit.request.POST.get("token") or visit.request.GET.get("token", "")


def _page(visit: Visit, appointment: Appointment, *, notice: str = "", status: int = 200) -> HttpResponse:
    context = {**_described(visit, appointment), "notice": notice, "is_new": "booked" in visit.request.GET}
    return visit.page("manage", context, status=status)


def _described(visit: Visit, appointment: Appointment) -> dict[str, Any]:
    """Return what the page shows of an appointment."""
    organization, token = visit.organization, _token(visit)
    zone, language = organization.timezone, visit.language
    local = appointment.started_at.astimezone(ZoneInfo(zone))
    place = _place(appointment)

    def address(name: str) -> str:
        return visit.url(name, uid=appointment.uid, query={"token": token})

    return {
        "appointment": appointment,
        "token": token,
        "state": _state(appointment),
        "is_off": appointment.status in (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW),
        "day": dates.sentence(dates.long_day(local.date(), language)),
        "day_number": local.day,
        "month": dates.short_month(local.date(), language),
        "start": f"{appointment.started_at:%Y-%m-%dT%H:%M:%SZ}",
        "time": dates.wall_time(appointment.started_at, zone),
        "until": dates.wall_time(appointment.ended_at, zone),
        "city": dates.city(zone, language),
        "mode_text": wording.mode(appointment.mode),
        "place": place,
        "price": words.price(appointment.price, appointment.currency, language),
        "phone": words.phone(organization.phone),
        "address": words.one_line(organization.address),
        "may_cancel": appointment.status in MOVABLE and visit.now <= appointment.cancel_until,
        "too_late": appointment.status in MOVABLE and visit.now > appointment.cancel_until,
        "cancel_until": _moment(appointment.cancel_until, zone, language),
        "cancel_url": address("cancel"),
        "manage_url": address("manage"),
        "file_url": address("calendar"),
        "google_url": _google(appointment, place),
        "outlook_url": _outlook(appointment, place),
    }


def _moment(moment: Any, zone: str, language: str) -> str:
    day = moment.astimezone(ZoneInfo(zone)).date()
    return f"{dates.day_in_year(day, language)}, {dates.wall_time(moment, zone)}"


def _place(appointment: Appointment) -> str:
    """Return where the patient goes, nothing for a video session."""
    if appointment.mode == Mode.VIDEO:
        return ""
    return appointment.location or words.one_line(appointment.organization.address)


def _state(appointment: Appointment) -> str:
    """Say how the appointment stands, in the words of whoever booked it."""
    status = AppointmentStatus
    return {
        status.BOOKED: _("Your appointment is booked"),
        status.UPCOMING: _("Your appointment is booked"),
        status.CONFIRMED: _("Your appointment is confirmed"),
        status.INPROGRESS: _("Your appointment has begun"),
        status.DONE: _("Your appointment has taken place"),
        status.CANCELLED: _("This appointment is cancelled"),
        status.NOSHOW: _("This appointment was missed"),
    }[AppointmentStatus(appointment.status)]


def _google(appointment: Appointment, place: str) -> str:
    span = "/".join(f"{moment:%Y%m%dT%H%M%SZ}" for moment in (appointment.started_at, appointment.ended_at))
    return f"{GOOGLE}?{urlencode({'action': 'TEMPLATE', 'text': appointment.title, 'dates': span, 'location': place})}"


def _outlook(appointment: Appointment, place: str) -> str:
    return (
        OUTLOOK
        + "?"
        + urlencode(
            {
                "subject": appointment.title,
                "startdt": f"{appointment.started_at:%Y-%m-%dT%H:%M:%SZ}",
                "enddt": f"{appointment.ended_at:%Y-%m-%dT%H:%M:%SZ}",
                "location": place,
                "path": "/calendar/action/compose",
            }
        )
    )
