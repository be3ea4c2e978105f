"""Coming into a video room: who, when, and with which token. Source: contract/scheduling.md 4 row 8."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.scheduling.domain.rooms import Guest, Part, ProviderFailed, opens_at
from apps.scheduling.errors import NotVideo, RoomNotReady, TooEarly, TooLate
from apps.scheduling.lifecycles import WITH_PATIENT, AppointmentStatus
from apps.scheduling.models import Appointment, Room
from apps.scheduling.models.appointments import RoomStatus, room_name
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import rooms, video
from restartix.kernel import audit, clock
from restartix.kernel.errors import InvalidTransition, Unavailable
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Actor

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Joined:
    """What opens the room: its address and a token for one person, which nobody keeps."""

    room_url: str
    token: str
    role: Part
    expires_at: datetime

    @property
    def entrance(self) -> str:
        """The address that leads a browser straight in."""
        return f"{self.room_url}?t={self.token}"


@transaction.atomic
def join(appointment: Appointment, *, part: Part, by: Actor) -> Outside[str]:
    """Return the work of getting a token for the caller, who may come in as `part`, and what opens the room then.

    Raises NotVideo, InvalidTransition unless upcoming, confirmed or in progress, TooEarly before 60 minutes (owner) or
    15 minutes (participant) before the start, TooLate from the end on, RoomNotReady (all 409); the work raises
    Unavailable (503) if the provider gives no token. That somebody joined is on record.
    """
    _check_takes_place(appointment, part)
    _check_ready(appointment)
    guest = Guest(
        room=room_name(appointment.organization_id or 0, appointment.pk),
        called=_called(appointment, part, by),
        part=part,
        ends_at=appointment.ended_at,
        records=rooms.records_offered(appointment),
    )
    provider, address = video.provider_for(appointment), str(appointment.room_url)

    def admit() -> str:
        try:
            return provider.admit(guest)
        except ProviderFailed as failed:
            logger.warning("no token for the room of appointment %s: %s", appointment.pk, failed.reason)
            raise Unavailable(
                "The video provider does not answer: try again.", retry_after_seconds=RETRY_AFTER_SECONDS
            ) from failed

    def joined(token: str) -> Joined:
        said = {"joined_as": str(part)}
        audit.note("READ", "videocall", appointment.pk, patient_id=appointment.patient_id, said=said)
        return Joined(address, token, part, appointment.ended_at)

    return Outside(admit, joined)


def _check_takes_place(appointment: Appointment, part: Part) -> None:
    if appointment.mode != Mode.VIDEO:
        raise NotVideo
    if appointment.status not in WITH_PATIENT:
        raise InvalidTransition(current=appointment.status, to=AppointmentStatus.INPROGRESS, allowed=[])
    now, opens = clock.now(), opens_at(appointment.started_at, part)
    if now < opens:
        raise TooEarly(details={"not_before": _instant(opens)})
    if now >= appointment.ended_at:
        raise TooLate(details={"not_after": _instant(appointment.ended_at)})


def _check_ready(appointment: Appointment) -> None:
    """Raise RoomNotReady (409) unless the room is there, at the provider that serves the clinic now."""
    room, key = Room.objects.filter(appointment=appointment).first(), video.key_of_clinic()
    is_here = room is not None and room.key_changed_at == (key.updated_at if key else None)
    if appointment.room_status != RoomStatus.READY or not is_here:
        raise RoomNotReady


def _called(appointment: Appointment, part: Part, by: Actor) -> str:
    """Return how others in the room see the caller."""
    if part == Part.OWNER:
        return appointment.specialist.name
    person = appointment.patient.person if appointment.patient else None
    is_patient = person is not None and person.user_id == by.own_user_id
    return person.name if person is not None and is_patient else by.name


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
