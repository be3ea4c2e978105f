"""Ratings: how the patient found an appointment that took place. Source: contract/scheduling.md 1.1, 3.1 (PUT)."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import get_language, gettext

from apps.organizations.models import Organization
from apps.organizations.services import facts, letters
from apps.scheduling.errors import NotDone, TooLate
from apps.scheduling.facts import AppointmentRatedLow
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import moves
from restartix.kernel import clock, dates
from restartix.kernel.tenancy import Actor, active_organization_id

#: From the end of the session on, a rating may be given, and given anew.
OPEN_FOR = timedelta(days=7)


@transaction.atomic
def rate(appointment: Appointment, *, by: Actor, stars: int, comment: str | None = None) -> Appointment:
    """Keep the patient's rating, 1 to 5 stars, in place of an earlier one. Locks the appointment's row.

    Raises NotDone (409) before it took place, TooLate (409) seven days after the session ended. A low one is told to
    the clinic's admins after the commit, once an appointment.
    """
    appointment = moves.lock(appointment)
    if appointment.status != AppointmentStatus.DONE or appointment.session_ended_at is None:
        raise NotDone
    now, until = clock.now(), appointment.session_ended_at + OPEN_FOR
    if now > until:
        raise TooLate(details={"not_after": f"{until:%Y-%m-%dT%H:%M:%SZ}"})
    before = appointment.rating_stars
    appointment.rating_stars, appointment.rating_comment, appointment.rated_at = stars, comment, now
    appointment.save(update_fields=["rating_stars", "rating_comment", "rated_at", "updated_at"])
    facts.record(moves.updated(appointment))
    low = Organization.objects.get(pk=active_organization_id()).setting("low_rating_threshold")
    if stars <= low and (before is None or before > low):
        facts.record(AppointmentRatedLow(appointment.pk))
    return appointment


def tell_admins(appointment_id: int) -> int:
    """Write to the clinic's admins that a rating is low; returns how many letters were sent just now.

    One letter an appointment and admin, however often the rating changes: a letter is remembered as long as a rating
    may change. Raises OSError or SMTPException if the mail server does not take one.
    """
    rows = Appointment.objects.alive().select_related("organization", "specialist")
    appointment = rows.filter(pk=appointment_id, rating_stars__isnull=False).first()
    if appointment is None:
        return 0
    return letters.send_to_admins(write=lambda: _words(appointment), key=f"low-rating.{appointment.uid}")


def _words(appointment: Appointment) -> letters.Words:
    """Name the appointment but neither the patient nor the comment, which stay within the clinic."""
    language = get_language() or "en"
    start = appointment.started_at.astimezone(ZoneInfo(appointment.organization.timezone))
    path = reverse("admin:scheduling_appointment_change", args=[appointment.pk])
    return letters.Words(
        subject=gettext("A patient gave {stars} of 5 stars").format(stars=appointment.rating_stars),
        paragraphs=(
            gettext("“{title}” with {specialist} on {day} at {time} was rated with {stars} of 5 stars.").format(
                title=appointment.title,
                specialist=appointment.specialist,
                day=dates.long_day(start.date(), language),
                time=f"{start:%H:%M}",
                stars=appointment.rating_stars,
            ),
            gettext("What the patient wrote, if anything, is on the page of the appointment."),
        ),
        action=(gettext("Open the appointment"), settings.PUBLIC_URL + path),
    )
