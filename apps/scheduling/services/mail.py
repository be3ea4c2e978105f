"""Letters about an appointment to whoever booked it: made, moved, near, called off.

In the language and the time zone of the appointment, as text and as simple HTML, with the appointment as an iCalendar
file whose SEQUENCE lets the calendar replace the older one. Source: contract/scheduling.md 1.2, 3.1, 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from email import encoders
from email.mime.base import MIMEBase
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop, override

from apps.organizations.services import letters
from apps.scheduling.lifecycles import ACTIVE, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.models.templates import Mode
from apps.scheduling.selectors.invitations import invitation
from apps.scheduling.services import management
from restartix.kernel import clock, dates
from restartix.kernel import wording as words
from restartix.kernel.languages import spoken


@dataclass(frozen=True, slots=True)
class Letter:
    """A kind of letter: its template, its subject, and the states of an appointment in which it still makes sense."""

    template: str
    subject: str
    states: tuple[str, ...]


CONFIRMATION = Letter("confirmation", gettext_noop("Your appointment at {clinic}: {day}, {time}"), ACTIVE)
RESCHEDULED = Letter("rescheduled", gettext_noop("Your appointment has been moved to {day}, {time}"), ACTIVE)
CANCELLATION = Letter(
    "cancellation", gettext_noop("Your appointment of {day}, {time} is cancelled"), (AppointmentStatus.CANCELLED,)
)
REMINDER = Letter(
    "reminder",
    gettext_noop("Reminder: your appointment at {clinic}, {day}, {time}"),
    (AppointmentStatus.UPCOMING, AppointmentStatus.CONFIRMED),
)


def send(letter: Letter, *, appointment_id: int, key: str) -> bool:
    """Send the letter about the appointment once, however often it is asked for with the same `key`; say whether.

    Nothing is sent of an appointment that is over, that has moved on to a state the letter does not fit, or whose
    patient has no e-mail address. A crash between the mail server's yes and our note of it sends a second copy with the
    same Message-ID, which mail programs show once. Raises OSError or SMTPException if the mail server does not take it.
    """
    appointment = _appointment(appointment_id)
    if appointment is None or appointment.status not in letter.states or appointment.ended_at <= clock.now():
        return False
    to = recipient_of(appointment)
    return to is not None and letters.send_once(message(letter, appointment, to=to, key=key), key=key)


def _appointment(appointment_id: int) -> Appointment | None:
    rows = Appointment.objects.select_related("organization", "specialist", "patient__person__user")
    return rows.filter(pk=appointment_id).first()


def recipient_of(appointment: Appointment) -> str | None:
    """Return where the patient reads mail: the account, else the address on file, else the one left when booking."""
    person = appointment.patient.person if appointment.patient else None
    account = person.user.email if person and person.user else None
    return account or (person.email if person else None) or appointment.contact_email or None


def message(letter: Letter, appointment: Appointment, *, to: str, key: str) -> EmailMultiAlternatives:
    """Return the letter ready to be sent."""
    organization = appointment.organization
    language = spoken(appointment.locale, otherwise=spoken(organization.locale))
    with override(language):
        context = described(appointment, language)
        subject = gettext(letter.subject).format(
            clinic=organization.name, day=context["short_day"], time=context["time"]
        )
        text = render_to_string(f"email/{letter.template}.txt", context)
        html = render_to_string(f"email/{letter.template}.html", context)
    sent = letters.envelope(to=to, organization=organization, subject=subject, text=text, key=key, language=language)
    sent.attach_alternative(html, "text/html")
    sent.attach(_calendar_file(appointment))
    return sent


def described(appointment: Appointment, language: str) -> dict[str, Any]:
    """Return what the letters say of an appointment; where its zone differs from the clinic's, both clocks."""
    zone, clinic = appointment.timezone, appointment.organization.timezone
    start, end = appointment.started_at, appointment.ended_at
    day = start.astimezone(ZoneInfo(zone)).date()
    until = appointment.cancel_until
    is_elsewhere = dates.tell_apart(start, zone, clinic)
    return {
        "appointment": appointment,
        "organization": appointment.organization,
        "language": language,
        "name": appointment.contact_name or (appointment.patient.person.name if appointment.patient else ""),
        "day": dates.sentence(dates.long_day(day, language)),
        "short_day": dates.short_day(day, language),
        "time": dates.wall_time(start, zone),
        "until": dates.wall_time(end, zone),
        "city": dates.city(zone, language),
        "clinic_time": _in_zone(start, clinic, day, language) if is_elsewhere else "",
        "is_video": appointment.mode == Mode.VIDEO,
        "place": _place(appointment),
        "price": words.price(appointment.price, appointment.currency, language),
        "cancel_until": _in_zone(until, zone, None, language) if until > clock.now() else "",
        "phone": words.phone(appointment.organization.phone),
        "manage_url": manage_url(appointment, language),
        "book_url": settings.PUBLIC_URL + reverse("booking:services", args=[appointment.organization.slug]),
    }


def manage_url(appointment: Appointment, language: str) -> str:
    """Return the address under which whoever reads the letter sees and cancels the appointment."""
    path = reverse("booking:manage", args=[appointment.organization.slug, appointment.uid])
    return f"{settings.PUBLIC_URL}{path}?token={management.manage_token(appointment.uid)}&lang={language}"


def _in_zone(moment: Any, zone: str, known: Any, language: str) -> str:
    """Return day and time in `zone`, the day left out if it is the `known` one."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    time = dates.wall_time(moment, zone)
    return f"{time} {dates.city(zone, language)}" if day == known else f"{dates.day_in_year(day, language)}, {time}"


def _place(appointment: Appointment) -> str:
    if appointment.mode == Mode.VIDEO:
        return ""
    parts = (appointment.location, words.one_line(appointment.organization.address))
    return " · ".join(part for part in parts if part)


def _calendar_file(appointment: Appointment) -> MIMEBase:
    """Return the attachment, its bytes untouched: CRLF and folding are part of the format."""
    part = MIMEBase("text", "calendar", method="PUBLISH", charset="utf-8")
    part.set_payload(invitation(appointment))
    encoders.encode_base64(part)
    part.add_header("Content-Disposition", "attachment", filename=f"appointment-{appointment.uid}.ics")
    return part
