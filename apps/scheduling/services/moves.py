"""Moves: one appointment going from one status to another, with its history and its fact."""

from __future__ import annotations

from typing import Any

from apps.organizations.services import facts
from apps.scheduling.facts import AppointmentCancelled, AppointmentCreated, AppointmentNoShow, AppointmentUpdated
from apps.scheduling.lifecycles import APPOINTMENT, AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentStatusChange
from apps.scheduling.services.announcements import BoardChanged, announce
from restartix.kernel.facts import Announcement
from restartix.kernel.tenancy import Actor
from restartix.kernel.transactions import joins_transaction


@joins_transaction
def lock(appointment: Appointment) -> Appointment:
    """Return the appointment as it is now, holding its row until the transaction ends; boards look again after it."""
    announce(BoardChanged(appointment.organization_id))  # type: ignore[arg-type]  # a saved row has one
    return Appointment.objects.select_for_update(of=("self",)).select_related("specialist").get(pk=appointment.pk)


@joins_transaction
def begin(appointment: Appointment, *, by: Actor) -> None:
    """Write the first line of a new appointment's history and announce it."""
    announce(BoardChanged(appointment.organization_id))  # type: ignore[arg-type]  # a saved row has one
    _note(appointment, None, by=by, reason=None)
    facts.record(AppointmentCreated(**described(appointment)))


@joins_transaction
def move(appointment: Appointment, to: AppointmentStatus, *, by: Actor, reason: str | None = None) -> None:
    """Set the status of a locked appointment and write its history; the caller saves and announces.

    Raises InvalidTransition (409) if no operation makes that move.
    """
    APPOINTMENT.check(appointment.status, to)
    before, appointment.status = appointment.status, to
    _note(appointment, before, by=by, reason=reason)


def described(appointment: Appointment) -> dict[str, Any]:
    """Return the `data` of `appointment.created` and `appointment.updated`: ids and codes only."""
    return {
        "appointment_id": appointment.pk,
        "appointment_uid": str(appointment.uid),
        "specialist_id": appointment.specialist_id,
        "patient_id": appointment.patient_id,
        "status": str(appointment.status),
        "scheduled_at": appointment.started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def updated(appointment: Appointment) -> Announcement:
    """Return the fact that something about the appointment changed."""
    return AppointmentUpdated(**described(appointment))


def missed(appointment: Appointment) -> Announcement:
    """Return the fact that the patient did not come."""
    return AppointmentNoShow(**_named(appointment))


def cancelled(appointment: Appointment) -> Announcement:
    """Return the fact that the appointment will not take place."""
    return AppointmentCancelled(**_named(appointment), reason=str(appointment.cancel_reason_code))


def _named(appointment: Appointment) -> dict[str, Any]:
    keys = ("appointment_id", "appointment_uid", "specialist_id", "patient_id")
    return {key: value for key, value in described(appointment).items() if key in keys}


def _note(appointment: Appointment, before: str | None, *, by: Actor, reason: str | None) -> None:
    AppointmentStatusChange.objects.create(
        appointment=appointment, from_status=before, to_status=appointment.status, by_id=by.user_id, reason=reason
    )
