"""The one letter to somebody on the waiting list: a time has become free, and this is where to book it.

In the language and the time zone of the entry. Source: contract/scheduling.md 4.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext, override

from apps.organizations.services import letters
from apps.scheduling.lifecycles import WaitlistStatus
from apps.scheduling.models import WaitlistEntry
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import waiting
from restartix.kernel import clock, dates
from restartix.kernel import wording as words
from restartix.kernel.languages import spoken


def tell(*, entry_id: int, key: str) -> bool:
    """Send the letter once, however often it is asked for with the same `key`; say whether it was sent just now.

    Nothing is sent once the time is over, or the person has been erased. Raises OSError or SMTPException if the mail
    server does not take it.
    """
    rows = WaitlistEntry.objects.select_related("organization", "appointment_template", "notified_specialist")
    entry = rows.filter(pk=entry_id, status=WaitlistStatus.NOTIFIED, contact_email__isnull=False).first()
    if entry is None or entry.notified_start is None or entry.notified_start <= clock.now():
        return False
    return letters.send_once(_message(entry, key=key), key=key)


def _message(entry: WaitlistEntry, *, key: str) -> EmailMultiAlternatives:
    organization = entry.organization
    language = spoken(entry.locale, otherwise=spoken(organization.locale))
    with override(language):
        context = _described(entry, language)
        subject = gettext("A time has become free at {clinic}: {day}, {time}").format(
            clinic=organization.name, day=context["short_day"], time=context["time"]
        )
        text = render_to_string("email/waiting.txt", context)
        html = render_to_string("email/waiting.html", context)
    to = str(entry.contact_email)
    message = letters.envelope(to=to, organization=organization, subject=subject, text=text, key=key, language=language)
    message.attach_alternative(html, "text/html")
    return message


def _described(entry: WaitlistEntry, language: str) -> dict[str, Any]:
    """Return what the letter says; where the zone of who waits differs from the clinic's, both clocks."""
    template, organization, zone = entry.appointment_template, entry.organization, entry.timezone
    start = entry.notified_start
    assert start is not None
    until = start + timedelta(minutes=template.duration_minutes)
    day = start.astimezone(ZoneInfo(zone)).date()
    at_clinic = start.astimezone(ZoneInfo(organization.timezone)).date()
    is_elsewhere = dates.tell_apart(start, zone, organization.timezone)
    clinic_time = dates.wall_time(start, organization.timezone)
    if at_clinic != day:
        clinic_time = f"{dates.day_in_year(at_clinic, language)}, {clinic_time}"
    return {
        "entry": entry,
        "organization": organization,
        "language": language,
        "name": entry.contact_name,
        "service": template.name,
        "specialist": str(entry.notified_specialist),
        "day": dates.sentence(dates.long_day(day, language)),
        "short_day": dates.short_day(day, language),
        "time": dates.wall_time(start, zone),
        "until": dates.wall_time(until, zone),
        "city": dates.city(zone, language),
        "clinic_time": clinic_time if is_elsewhere else "",
        "is_video": template.mode == Mode.VIDEO,
        "price": words.price(template.price, template.currency, language),
        "phone": words.phone(organization.phone),
        "book_url": _address(
            "times",
            entry,
            service=template.slug,
            query={"with": entry.specialist_id, "day": at_clinic, "lang": language},
        ),
        "entry_url": _address(
            "waiting", entry, uid=entry.uid, query={"token": waiting.token_of(entry.uid), "lang": language}
        ),
    }


def _address(name: str, entry: WaitlistEntry, *, query: dict[str, Any], **values: Any) -> str:
    path = reverse(f"booking:{name}", kwargs={"slug": entry.organization.slug, **values})
    return f"{settings.PUBLIC_URL}{path}?{urlencode({key: value for key, value in query.items() if value is not None})}"
