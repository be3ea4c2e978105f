"""The stand-in's video room: a page that says what would be here, as private as a room and over when it is over."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse

from apps.scheduling.domain.rooms import Part
from apps.scheduling.models import Appointment
from apps.scheduling.models.appointments import room_name
from apps.scheduling.pages.visits import MANAGE, Visit, visited
from apps.scheduling.services import rooms, stand_in
from restartix.kernel import dates
from restartix.kernel.errors import NotFound


@visited(MANAGE)
def room(visit: Visit, uid: UUID) -> HttpResponse:
    """Show who has come in, as what and until when; whoever has no token of this room stays outside (403).

    Raises NotFound (404) where no room is wanted.
    """
    appointment = Appointment.objects.alive().filter(uid=uid).first()
    if appointment is None or not rooms.wants_room(appointment):
        raise NotFound
    guest = stand_in.read(visit.request.GET.get("t", ""), room=room_name(visit.organization.pk, appointment.pk))
    if guest is None:
        return visit.page("room", {"guest": None}, status=403)
    context = {
        "guest": guest,
        "is_owner": guest.part == Part.OWNER,
        "until": dates.wall_time(appointment.ended_at, visit.organization.timezone),
        "room_name": guest.room,
    }
    return visit.page("room", context)
