"""Appointments as calendar programs read them: one invitation, and a specialist's feed."""

from __future__ import annotations

from datetime import timedelta

from apps.scheduling.domain.invitations import Entry, calendar_of
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, CalendarFeed
from apps.scheduling.models.templates import Mode
from restartix.kernel import clock

FEED_PAST, FEED_FUTURE = timedelta(days=30), timedelta(days=180)


def invitation(appointment: Appointment) -> bytes:
    """Return the appointment as one iCalendar object; needs its organization, holds no contact data or note."""
    return calendar_of([_entry(appointment, appointment.title)])


def feed_of(feed: CalendarFeed) -> bytes:
    """Return the specialist's appointments from 30 days ago to 180 days ahead, with the patient's initials only."""
    now = clock.now()
    rows = (
        Appointment.objects.alive()
        .filter(specialist_id=feed.specialist_id, started_at__gte=now - FEED_PAST, started_at__lt=now + FEED_FUTURE)
        .exclude(status__in=[AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW])
        .select_related("patient__person", "organization")
        .order_by("started_at", "id")
    )
    return calendar_of([_entry(row, _with_initials(row)) for row in rows])


def _with_initials(appointment: Appointment) -> str:
    name = appointment.patient.person.name if appointment.patient else appointment.contact_name or ""
    initials = "".join(f"{part[0].upper()}." for part in name.split())
    return f"{appointment.title} ({initials})" if initials else appointment.title


def _entry(appointment: Appointment, title: str) -> Entry:
    return Entry(
        uid=str(appointment.uid),
        title=title,
        status=appointment.status,
        started_at=appointment.started_at,
        ended_at=appointment.ended_at,
        changed_at=appointment.updated_at,
        reschedule_count=appointment.reschedule_count,
        organizer_name=appointment.organization.name,
        organizer_email=appointment.organization.email,
        location=appointment.location if appointment.mode == Mode.IN_PERSON else None,
    )
