"""Rows of scheduling: what may be booked, who holds which time, and the appointments that come of it."""

from apps.scheduling.models.appointments import Appointment, AppointmentStatusChange
from apps.scheduling.models.claims import Claim
from apps.scheduling.models.feeds import CalendarFeed
from apps.scheduling.models.holds import Hold, HoldEvent
from apps.scheduling.models.reminders import AppointmentReminder
from apps.scheduling.models.rooms import Room
from apps.scheduling.models.templates import AppointmentTemplate, TemplateSpecialist
from apps.scheduling.models.waitlist import WaitlistEntry

__all__ = [
    "Appointment",
    "AppointmentReminder",
    "AppointmentStatusChange",
    "AppointmentTemplate",
    "CalendarFeed",
    "Claim",
    "Hold",
    "HoldEvent",
    "Room",
    "TemplateSpecialist",
    "WaitlistEntry",
]
