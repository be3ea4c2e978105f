"""What scheduling announces. Source: contract/organizations.md 1.8."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from restartix.kernel.facts import Announcement


@dataclass(frozen=True, slots=True)
class _AppointmentChanged(Announcement):
    appointment_id: int
    appointment_uid: str
    specialist_id: int
    patient_id: int | None
    status: str
    scheduled_at: str


@dataclass(frozen=True, slots=True)
class AppointmentCreated(_AppointmentChanged):
    """Somebody booked, or staff made an appointment."""

    name: ClassVar[str] = "appointment.created"


@dataclass(frozen=True, slots=True)
class AppointmentUpdated(_AppointmentChanged):
    """Time, specialist, status or details changed."""

    name: ClassVar[str] = "appointment.updated"


@dataclass(frozen=True, slots=True)
class AppointmentRescheduled(_AppointmentChanged):
    """The time or the specialist changed: heard inside the platform only, for mail; the outside hears `updated`."""

    name: ClassVar[str] = "internal.appointment.rescheduled"


@dataclass(frozen=True, slots=True)
class AppointmentCancelled(Announcement):
    """An appointment will not take place; `reason` is a code, never free text."""

    name: ClassVar[str] = "appointment.cancelled"
    appointment_id: int
    appointment_uid: str
    specialist_id: int
    patient_id: int | None
    reason: str = field(metadata={"example": "clinic_request"})


@dataclass(frozen=True, slots=True)
class AppointmentNoShow(Announcement):
    """The patient did not come."""

    name: ClassVar[str] = "appointment.noshow"
    appointment_id: int
    appointment_uid: str
    specialist_id: int
    patient_id: int | None


@dataclass(frozen=True, slots=True)
class AppointmentRatedLow(Announcement):
    """A patient gave so few stars that the clinic's admins are to be told: heard inside the platform only."""

    name: ClassVar[str] = "internal.appointment.rated_low"
    appointment_id: int


@dataclass(frozen=True, slots=True)
class TimeFreed(Announcement):
    """A cancellation or a move gave time to come back: heard inside the platform only, for the waiting list."""

    name: ClassVar[str] = "internal.time.freed"
    appointment_template_id: int
    specialist_id: int
    start: str


@dataclass(frozen=True, slots=True)
class WaitingNotified(Announcement):
    """Somebody on the waiting list is to hear of a free time: heard inside the platform only, for the letter."""

    name: ClassVar[str] = "internal.waitlist.notified"
    entry_id: int


@dataclass(frozen=True, slots=True)
class ReminderDue(Announcement):
    """A patient is to be reminded of this start of an appointment: heard inside the platform only, for the letter."""

    name: ClassVar[str] = "internal.appointment.reminder_due"
    appointment_id: int
    started_at: str
