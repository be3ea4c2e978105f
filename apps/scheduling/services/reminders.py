"""Reminders: a letter before an appointment, once an appointment and start. Source: contract/scheduling.md 4.

What is due is noted beside a fact, in one transaction; the letter is the fact's reaction. So a crash at any point
neither forgets a reminder nor makes a second one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.models import Organization
from apps.organizations.services import facts
from apps.scheduling.facts import ReminderDue
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import mail
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, Trace, acting_for

ACTOR = Actor.system("send_reminders")
#: In these states somebody is expected who can be reminded.
STATES = (AppointmentStatus.UPCOMING, AppointmentStatus.CONFIRMED)
#: So many are noted in one transaction.
BATCH = 500

# Two runs at once note an appointment's start once: the second waits for the first and finds it there.
_NOTE = """
INSERT INTO scheduling_appointmentreminder (organization_id, appointment_id, started_at, at)
SELECT a.organization_id, a.id, a.started_at, %(now)s FROM scheduling_appointment a
 WHERE a.organization_id = %(organization)s AND a.status = ANY(%(states)s) AND a.deleted_at IS NULL
   AND a.started_at > %(now)s AND a.started_at <= %(until)s
   AND NOT EXISTS (SELECT 1 FROM scheduling_appointmentreminder r
                    WHERE r.appointment_id = a.id AND r.started_at = a.started_at)
 ORDER BY a.started_at, a.id LIMIT %(batch)s
ON CONFLICT DO NOTHING
RETURNING appointment_id, started_at
"""


def remind() -> int:
    """Note the reminders that are due at every active clinic, and return how many; the relay sends the letters."""
    active = Organization.objects.alive().filter(status=OrganizationStatus.ACTIVE)
    return sum(_remind(each) for each in active.order_by("pk") if each.setting("appointment_reminder_hours"))


def _remind(organization: Organization) -> int:
    noted, last = 0, BATCH
    while last == BATCH:
        with acting_for(organization.pk, actor=ACTOR, trace=Trace(source="task")):
            due = _note(organization, now=clock.now())
            for appointment_id, started_at in due:
                facts.record(ReminderDue(appointment_id, started_at.isoformat()))
        last = len(due)
        noted += last
    return noted


def _note(organization: Organization, *, now: datetime) -> list[tuple[int, datetime]]:
    """Note the starts that are near enough, at most BATCH, and return those that nobody had noted before."""
    hours = int(organization.setting("appointment_reminder_hours"))
    given: dict[str, Any] = {
        "organization": organization.pk,
        "states": [str(each) for each in STATES],
        "now": now,
        "until": now + timedelta(hours=hours),
        "batch": BATCH,
    }
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, given)
        return list(cursor.fetchall())


def write(*, appointment_id: int, started_at: datetime, key: str) -> bool:
    """Send the letter, unless the appointment has been moved, called off or begun since; say whether.

    Raises OSError or SMTPException if the mail server does not take it.
    """
    stands = Appointment.objects.alive().filter(pk=appointment_id, started_at=started_at, status__in=STATES)
    if started_at <= clock.now() or not stands.exists():
        return False
    return mail.send(mail.REMINDER, appointment_id=appointment_id, key=key)
