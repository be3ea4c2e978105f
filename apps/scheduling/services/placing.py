"""Placing: an appointment moved by somebody who looks at a board, which may have changed while they looked."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from apps.profiles.models import Specialist
from apps.scheduling.errors import ChangedMeanwhile
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.day import version_of
from apps.scheduling.services import appointments, moves
from restartix.kernel.tenancy import Actor


@transaction.atomic
def place(
    appointment: Appointment, *, seen: str, started_at: datetime, specialist: Specialist | None = None, by: Actor
) -> Appointment:
    """Reschedule the appointment, which keeps its length, as long as it stands where `seen` says. Locks the row.

    `seen` is the version that the board showed. Raises ChangedMeanwhile (409) when somebody was faster, and whatever
    `appointments.reschedule` raises.
    """
    appointment = moves.lock(appointment)
    if version_of(appointment) != seen:
        raise ChangedMeanwhile
    return appointments.reschedule(appointment, started_at=started_at, specialist=specialist, by=by)
