"""What may be done with the video room of an appointment: come in, and have one that failed made again."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scheduling.domain.rooms import Part, opens_at
from apps.scheduling.models import Appointment
from apps.scheduling.models.appointments import RoomStatus
from apps.scheduling.services import appointments, joining, room_keeping, rooms
from apps.scheduling.services.joining import Joined
from apps.scheduling.services.room_keeping import Kept
from restartix.kernel import clock
from restartix.kernel.admin.moves import Move
from restartix.kernel.errors import Forbidden
from restartix.kernel.outside import Outside
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor, current_actor


def _retry(row: Appointment, *, by: Actor) -> Outside[None]:
    """Have the room made again, at once."""
    return room_keeping.attempt_now(rooms.retry(row, by=by))


def _can_be_retried(row: Appointment) -> bool:
    return row.room_status == RoomStatus.FAILED and row.ended_at > clock.now()


def _told(kept: Kept) -> tuple[bool, str]:
    """Say how far the room is."""
    if kept.status == RoomStatus.READY:
        return True, _("The video room is ready.")
    if kept.error:
        return False, _("No room yet: %(reason)s. It is tried again by itself.") % {"reason": kept.error}
    return True, _("The video room is being made.")


def _join(row: Appointment, *, by: Actor) -> Outside[str]:
    """Get the specialist's own way into the room."""
    if not appointments.is_assigned(row, by):
        raise Forbidden
    return joining.join(row, part=Part.OWNER, by=by)


def _is_open(row: Appointment) -> bool:
    """Tell whether the person who looks may come in now: the specialist of the session, near its time."""
    return (
        row.room_status == RoomStatus.READY
        and rooms.wants_room(row)
        and opens_at(row.started_at, Part.OWNER) <= clock.now() < row.ended_at
        and appointments.is_assigned(row, current_actor())
    )


def _lead_in(request: HttpRequest, joined: Joined) -> TemplateResponse:
    """Lead the browser into the room, in the window that the button has opened."""
    return TemplateResponse(request, "admin/scheduling/joined.html", {"entrance": joined.entrance})


VIDEO_MOVES: tuple[Any, ...] = (
    Move(name="join", label=gettext_lazy("Join"), does=_join, may=STAFF, applies=_is_open, waits=True, leads=_lead_in),
    Move(
        name="retry-room",
        label=gettext_lazy("Retry room"),
        does=_retry,
        may=STAFF,
        applies=_can_be_retried,
        waits=True,
        tells=_told,
    ),
)
