"""What waits for somebody: how many visits stand open in which way. A statement each, so that each uses its index.

Each count is that of a list in the back office, so the conditions have names and the list's filters use the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.timezone import localtime

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.models.appointments import RoomStatus
from restartix.kernel.tenancy import Actor

S = AppointmentStatus
#: So many days, today included, are "soon".
SOON_DAYS = 7


@dataclass(frozen=True, slots=True)
class Standing:
    """How many visits wait, of those that one person may see."""

    #: Booked by somebody who is no patient yet.
    to_take_in: int
    #: Of the next days, and nobody has said that the patient will come.
    to_confirm: int
    #: Video visits that are not over and have no room after every attempt.
    rooms_failed: int


def soon(now: datetime) -> Q:
    """Return the visits that begin between `now` and the end of the sixth day from today, on the active clock."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return Q(started_at__gt=now, started_at__lt=midnight + timedelta(days=SOON_DAYS))


def not_over(now: datetime) -> Q:
    """Return the visits that have not ended; none lasts longer than a day, and starts have an index."""
    return Q(ended_at__gt=now, started_at__gt=now - timedelta(hours=24))


def standing(actor: Actor, *, now: datetime) -> Standing:
    """Count what waits among the appointments that `actor` may see."""
    rows = Appointment.objects.visible_to(actor, today=localtime(now).date())
    return Standing(
        to_take_in=rows.filter(status=S.BOOKED).count(),
        to_confirm=rows.filter(soon(now), status=S.UPCOMING).count(),
        rooms_failed=rows.filter(not_over(now), room_status=RoomStatus.FAILED).count(),
    )
