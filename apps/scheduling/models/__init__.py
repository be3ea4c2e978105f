"""Rows of scheduling: what may be booked, who holds which time, and the appointments that come of it."""

from apps.scheduling.models.appointments import Appointment, AppointmentStatusChange
from apps.scheduling.models.claims import Claim
from apps.scheduling.models.feeds import CalendarFeed
from apps.scheduling.models.holds import Hold, HoldEvent
from apps.scheduling.models.templates import AppointmentTemplate, TemplateSpecialist

__all__ = [
    "Appointment",
    "AppointmentStatusChange",
    "AppointmentTemplate",
    "CalendarFeed",
    "Claim",
    "Hold",
    "HoldEvent",
    "TemplateSpecialist",
]
