"""What scheduling does about its own facts once they are committed: it writes to the patient, or to the clinic."""

from __future__ import annotations

from datetime import datetime

from apps.organizations.models import Fact
from apps.scheduling.facts import (
    AppointmentCancelled,
    AppointmentCreated,
    AppointmentRatedLow,
    AppointmentRescheduled,
    ReminderDue,
    TimeFreed,
    WaitingNotified,
)
from apps.scheduling.services import mail, ratings, reminders, waiting, waiting_letters
from restartix.kernel.facts import reacts_to


@reacts_to(AppointmentCreated.name)
def confirm(fact: Fact) -> None:
    """Send the confirmation, with the link that shows and cancels the appointment."""
    mail.send(mail.CONFIRMATION, appointment_id=fact.payload["appointment_id"], key=fact.event_id)


@reacts_to(AppointmentRescheduled.name)
def tell_new_time(fact: Fact) -> None:
    """Tell the new time; the file replaces the calendar's older entry."""
    mail.send(mail.RESCHEDULED, appointment_id=fact.payload["appointment_id"], key=fact.event_id)


@reacts_to(AppointmentCancelled.name)
def tell_cancellation(fact: Fact) -> None:
    """Tell that the appointment is off; the file takes it out of the calendar."""
    mail.send(mail.CANCELLATION, appointment_id=fact.payload["appointment_id"], key=fact.event_id)


@reacts_to(AppointmentRatedLow.name)
def tell_low_rating(fact: Fact) -> None:
    """Tell the clinic's admins of a low rating."""
    ratings.tell_admins(fact.payload["appointment_id"])


@reacts_to(ReminderDue.name)
def remind(fact: Fact) -> None:
    """Remind the patient of the appointment."""
    started_at = datetime.fromisoformat(fact.payload["started_at"])
    reminders.write(appointment_id=fact.payload["appointment_id"], started_at=started_at, key=fact.event_id)


@reacts_to(TimeFreed.name)
def offer_to_the_waiting(fact: Fact) -> None:
    """Note whom of the waiting list a time that was given back is told to."""
    waiting.offer(
        template_id=fact.payload["appointment_template_id"],
        specialist_id=fact.payload["specialist_id"],
        start=datetime.fromisoformat(fact.payload["start"]),
    )


@reacts_to(WaitingNotified.name)
def tell_free_time(fact: Fact) -> None:
    """Tell somebody on the waiting list of the time that has become free."""
    waiting_letters.tell(entry_id=fact.payload["entry_id"], key=fact.event_id)
