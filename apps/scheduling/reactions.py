"""What scheduling does about its own facts once they are committed: it writes to the patient, or to the clinic."""

from __future__ import annotations

from apps.organizations.models import Fact
from apps.scheduling.facts import AppointmentCancelled, AppointmentCreated, AppointmentRatedLow, AppointmentRescheduled
from apps.scheduling.services import mail, ratings
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
