"""Arrivals: that a patient has come through the door. A mark on the appointment, no status of its own.

Whoever waits is told by the mark and the status together: here, and not yet in progress.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.scheduling.errors import NotExpected, TooEarly
from apps.scheduling.lifecycles import MOVABLE
from apps.scheduling.models import Appointment
from apps.scheduling.services import moves
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor

#: Nobody waits longer than this: whoever "arrives" earlier is taken for somebody else.
LONGEST_WAIT = timedelta(hours=6)


def is_expected(appointment: Appointment, *, now: datetime) -> bool:
    """Tell whether the patient may still arrive: not in yet, the start no further away than the longest wait."""
    return appointment.status in MOVABLE and now >= appointment.started_at - LONGEST_WAIT


@transaction.atomic
def arrive(appointment: Appointment, *, by: Actor) -> Appointment:
    """Note that the patient is here; a second time changes nothing. Locks the row.

    Raises NotExpected (409) once the session has begun or the appointment is over, TooEarly (409) more than six
    hours before the start.
    """
    appointment = moves.lock(appointment)
    if appointment.status not in MOVABLE:
        raise NotExpected
    if not is_expected(appointment, now=clock.now()):
        earliest = appointment.started_at - LONGEST_WAIT
        raise TooEarly(details={"not_before": earliest.strftime("%Y-%m-%dT%H:%M:%SZ")})
    if appointment.arrived_at is None:
        appointment.arrived_at = clock.now()
        appointment.save(update_fields=["arrived_at"])
    return appointment


@transaction.atomic
def take_back(appointment: Appointment, *, by: Actor) -> Appointment:
    """Note that the patient is not here after all; nothing happens where nobody had arrived. Locks the row.

    Raises NotExpected (409) once the session has begun or the appointment is over: the mark is part of the record then.
    """
    appointment = moves.lock(appointment)
    if appointment.status not in MOVABLE:
        raise NotExpected
    if appointment.arrived_at is not None:
        appointment.arrived_at = None
        appointment.save(update_fields=["arrived_at"])
    return appointment


def still_holds(arrived_at: datetime | None, *, started_at: datetime) -> datetime | None:
    """Return what is left of an arrival when the appointment moves to `started_at`: who waits goes on waiting."""
    return arrived_at if arrived_at is not None and abs(started_at - arrived_at) <= LONGEST_WAIT else None
