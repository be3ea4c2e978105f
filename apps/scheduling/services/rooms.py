"""Video rooms: what the appointments want of them, written down beside each change; the keeper then sees to it.

Nothing here waits for the provider. `look` is called by whatever changes an appointment, and `reconcile` compares all
rooms with their appointments, the consents and the clinics' keys now and then: a change that nobody told of is found.
Source: contract/scheduling.md 1.2 (Rooms).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction

from apps.organizations.models import ConsentType
from apps.profiles.selectors.consents import active_types
from apps.scheduling.errors import RoomNotFailed
from apps.scheduling.lifecycles import WITH_PATIENT
from apps.scheduling.models import Appointment, Room
from apps.scheduling.models.appointments import RoomStatus
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import moves, video
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, Trace, across_organizations, acting_for
from restartix.kernel.transactions import joins_transaction

logger = logging.getLogger(__name__)

ACTOR = Actor.system("retry_rooms")
#: Rooms that one run of `reconcile` looks at; the next one goes on.
MOST = 500
OVER = "the time of the appointment is over"

_DIFFERING = """
SELECT a.id, a.organization_id FROM scheduling_appointment a
  LEFT JOIN scheduling_room r ON r.appointment_id = a.id
  LEFT JOIN organizations_apikey k ON k.organization_id = a.organization_id AND k.service = 'daily'
 WHERE a.mode = 'video' AND a.status IN ('upcoming', 'confirmed', 'inprogress') AND a.deleted_at IS NULL
   AND a.ended_at > %(now)s
   AND (r.id IS NULL OR r.ends_at IS DISTINCT FROM a.ended_at OR r.key_changed_at IS DISTINCT FROM k.updated_at
        OR r.records <> EXISTS (SELECT FROM profiles_consentrecord c WHERE c.patient_id = a.patient_id
                                   AND c.type = 'video_recording' AND c.status = 'active'))
UNION ALL
SELECT a.id, a.organization_id FROM scheduling_room r JOIN scheduling_appointment a ON a.id = r.appointment_id
 WHERE r.ends_at IS NOT NULL
   AND (a.mode <> 'video' OR a.status NOT IN ('upcoming', 'confirmed', 'inprogress') OR a.deleted_at IS NOT NULL)
 LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is wanted of a room: its end, whether recording is offered, and by which key of the clinic."""

    ends_at: datetime
    records: bool
    key_changed_at: datetime | None


def terms_of(room: Room) -> Terms | None:
    """Return what a room was last wanted to be, None for one that has to go."""
    return Terms(room.ends_at, room.records, room.key_changed_at) if room.ends_at else None


def wants_room(appointment: Appointment) -> bool:
    """Tell whether there is to be a room: by video, with a patient, and not over by its status."""
    return appointment.mode == Mode.VIDEO and appointment.status in WITH_PATIENT and appointment.deleted_at is None


@joins_transaction
def look(appointment: Appointment) -> None:
    """Write down what the appointment, just saved, wants of its room, if that is something new.

    The caller holds the appointment's row. A new room is `pending`, one that changes stays as it is until the provider
    has changed it, and one that is not wanted any more is shown no longer, whatever becomes of it at the provider.
    """
    room = Room.objects.select_for_update().filter(appointment=appointment).first()
    if wants_room(appointment):
        _want(appointment, room)
    else:
        _let_go(appointment, room)


def _want(appointment: Appointment, room: Room | None) -> None:
    key = video.key_of_clinic()
    terms = Terms(appointment.ended_at, records_offered(appointment), key.updated_at if key else None)
    if room is not None and terms_of(room) == terms and appointment.room_status is not None:
        return
    is_elsewhere = room is None or room.ends_at is None or room.key_changed_at != terms.key_changed_at
    room = room or Room(appointment=appointment)
    room.ends_at, room.records, room.key_changed_at = terms.ends_at, terms.records, terms.key_changed_at
    _ask(room)
    if is_elsewhere or appointment.room_status != RoomStatus.READY:
        show(appointment, status=RoomStatus.PENDING)


def records_offered(appointment: Appointment) -> bool:
    """Tell whether the patient lets sessions be recorded, now."""
    patient = appointment.patient
    return patient is not None and ConsentType.VIDEO_RECORDING in active_types(patient)


def _let_go(appointment: Appointment, room: Room | None) -> None:
    if appointment.room_status is not None or appointment.room_url is not None:
        show(appointment, status=None)
    if room is not None and room.ends_at is not None:
        room.ends_at, room.records = None, False
        _ask(room)


def _ask(room: Room) -> None:
    """Have the keeper ask the provider; one that is asking at this moment sees afterwards that it has to ask again."""
    room.attempts, room.error = 0, ""
    if room.lease is None:
        room.due_at = clock.now()
    room.save()
    transaction.on_commit(_wake, robust=True)


@joins_transaction
def show(appointment: Appointment, *, status: RoomStatus | None, url: str | None = None) -> None:
    """Let callers see how far the room is; a room that becomes ready is no change of the appointment's `updated_at`."""
    if (appointment.room_status, appointment.room_url) == (status, url):
        return
    appointment.room_status, appointment.room_url = status, url
    Appointment.objects.filter(pk=appointment.pk).update(room_status=status, room_url=url)


@transaction.atomic
def retry(appointment: Appointment, *, by: Actor) -> Appointment:
    """Try again to make a room that failed. Locks the appointment. Raises RoomNotFailed (409) for any other."""
    appointment = moves.lock(appointment)
    room = Room.objects.select_for_update().filter(appointment=appointment).first()
    if appointment.room_status != RoomStatus.FAILED or room is None:
        raise RoomNotFailed
    _ask(room)
    show(appointment, status=RoomStatus.PENDING)
    return appointment


def reconcile() -> int:
    """Look at every room that is not what its appointment wants, in all clinics; return how many there were."""
    trace = Trace(source="task")
    reason = "compare rooms with their appointments"
    with across_organizations(reason=reason, actor=ACTOR, trace=trace), connection.cursor() as cursor:
        cursor.execute(_DIFFERING, {"now": clock.now(), "most": MOST})
        differing = cursor.fetchall()
    for appointment_id, organization_id in differing:
        try:
            with acting_for(organization_id, actor=ACTOR, trace=trace):
                look(moves.lock(Appointment(pk=appointment_id)))
        except OperationalError as error:  # somebody is changing it at this moment: the next run looks again
            logger.info("appointment %s was not looked at: %s", appointment_id, error)
    return len(differing)


_listeners: list[Callable[[], None]] = []


def on_wanted(hint: Callable[[], None]) -> None:
    """Call `hint()` after each commit that wants something of a room; a door registers it (tasks.py)."""
    _listeners.append(hint)


def _wake() -> None:
    for hint in _listeners:
        hint()
