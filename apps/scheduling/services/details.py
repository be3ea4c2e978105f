"""Details of an appointment: what staff say of it, and what its patient does. Source: contract/scheduling.md 3.1 (PUT).

Time, specialist, status and patient have operations of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from apps.organizations.services import facts
from apps.scheduling.errors import AppointmentClosed, ContactSettled, TooLate
from apps.scheduling.lifecycles import TERMINAL, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import moves, rooms
from restartix.kernel import clock
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.tenancy import Actor
from restartix.kernel.transactions import joins_transaction

#: What may change of an appointment that is over.
_OF_THE_RECORD = {"notes"}


@transaction.atomic
def update(appointment: Appointment, *, by: Actor, **changes: Any) -> Appointment:
    """Change what staff say of the appointment: the fields that are given, the others stay. Locks its row.

    `changes` are of title, notes, specialty_id, mode, location, patient_service_plan_id, and contact: a mapping with
    some of name, email and phone; what the ids name the caller has found. From video to in person the room goes, the
    other way one is wanted. What changes nothing announces nothing. Raises AppointmentClosed (409) for anything but
    notes once it is over, ContactSettled (409) for the contact of an appointment that is no longer `booked`.
    """
    appointment = moves.lock(appointment)
    if appointment.status in TERMINAL and not changes.keys() <= _OF_THE_RECORD:
        raise AppointmentClosed
    contact = changes.pop("contact", None)
    if contact is not None:
        changes |= _contact(appointment, contact)
    _write(appointment, changes)
    return appointment


def _contact(appointment: Appointment, contact: Mapping[str, str]) -> dict[str, Any]:
    """Return the columns of a contact, as far as it is given."""
    if appointment.status != AppointmentStatus.BOOKED:
        raise ContactSettled(details={"field": "contact", "status": str(appointment.status)})
    columns: dict[str, Any] = {f"contact_{name}": value for name, value in contact.items()}
    if "contact_phone" in columns:
        columns["contact_phone_hash"] = keyed_hash(columns["contact_phone"], purpose="phone")
    return columns


@transaction.atomic
def note_as_patient(appointment: Appointment, *, by: Actor, patient_notes: str | None) -> Appointment:
    """Keep what the patient wants to say before the appointment; None takes it back. Locks its row.

    Raises TooLate (409) from the start on, AppointmentClosed (409) for one that will not take place.
    """
    appointment = moves.lock(appointment)
    if clock.now() >= appointment.started_at:
        raise TooLate(details={"not_after": f"{appointment.started_at:%Y-%m-%dT%H:%M:%SZ}"})
    if appointment.status in TERMINAL:
        raise AppointmentClosed
    _write(appointment, {"patient_notes": patient_notes})
    return appointment


@joins_transaction
def _write(appointment: Appointment, changes: Mapping[str, Any]) -> None:
    """Save what differs, and announce it."""
    differing = [name for name, value in changes.items() if getattr(appointment, name) != value]
    for name in differing:
        setattr(appointment, name, changes[name])
    if differing:
        appointment.save(update_fields=[*differing, "updated_at"])
        if "mode" in differing:
            rooms.look(appointment)
        facts.record(moves.updated(appointment))
