"""The keeper of video rooms: asks the provider for what is wanted, under a lease, and writes down what came of it.

Three steps, of which only the middle one waits for the network: `_take_due` gives rooms a lease, `attempt` calls the
provider in a thread that knows no database, `_record` writes the outcome. What is wanted may change meanwhile: then the
outcome is already old, and the room is due again at once. A keeper that is killed leaves leases that run out.
Source: contract/scheduling.md 1.2 (Rooms).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from apps.scheduling.domain.rooms import ProviderFailed, Wanted, retry_after
from apps.scheduling.models import Appointment, Room
from apps.scheduling.models.appointments import RoomStatus, room_name
from apps.scheduling.services import moves, rooms, video
from restartix.kernel import clock
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Trace, across_organizations, acting_for

logger = logging.getLogger(__name__)

ACTOR, TRACE = rooms.ACTOR, Trace(source="task")
#: Longer than an attempt ever takes.
LEASE = timedelta(seconds=60)
#: Asked at the same time; of one clinic, so that a provider that hangs for it keeps nobody else waiting.
AT_ONCE, OF_ONE_CLINIC = 8, 4
#: A run takes nothing new after this; the next one goes on.
RUN_SECONDS = 45.0

# What somebody else holds is theirs; what is due is judged again under the lock.
_LEASE = """
WITH due AS (
    SELECT id, due_at, row_number() OVER (PARTITION BY organization_id ORDER BY due_at, id) AS place
      FROM scheduling_room WHERE due_at <= %(now)s
)
UPDATE scheduling_room SET due_at = %(until)s, lease = gen_random_uuid()
 WHERE id IN (SELECT r.id FROM scheduling_room r JOIN due ON due.id = r.id
               WHERE due.place <= %(of_one)s AND r.due_at <= %(now)s
               ORDER BY due.due_at, r.id LIMIT %(most)s FOR UPDATE OF r SKIP LOCKED)
RETURNING id, organization_id, lease
"""


@dataclass(frozen=True, slots=True)
class Errand:
    """What has to be asked of the provider about one room; needs no database."""

    room_id: int
    appointment_id: int
    organization_id: int
    lease: uuid.UUID
    name: str
    provider: video.Provider
    #: What is wanted; None: the room has to go.
    terms: rooms.Terms | None
    may_exist: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an errand: the room's address, or why not."""

    url: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """How far a room is, and what went wrong last."""

    status: RoomStatus | None
    error: str


def run() -> int:
    """Ask for every room that is due, in all clinics; return how many were seen to."""
    seen_to, end = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < end and (errands := _take_due()):
        with ThreadPoolExecutor(len(errands), thread_name_prefix="room") as threads:
            for errand, outcome in zip(errands, threads.map(attempt, errands), strict=True):
                _record(errand, outcome)
        seen_to += len(errands)
    return seen_to


def attempt_now(appointment: Appointment) -> Outside[None]:
    """Return the work of asking for this appointment's room at once, and how far it is then (`Kept`).

    A room that somebody else asks for at this moment is left to them.
    """
    organization_id = appointment.organization_id
    assert organization_id is not None

    def work() -> None:
        with acting_for(organization_id, actor=ACTOR, trace=TRACE):
            held = moves.lock(appointment)
            room = Room.objects.select_for_update().filter(appointment=held, lease=None, due_at__isnull=False).first()
            errand = _errand(room.pk, organization_id, _lease(room)) if room else None
        if errand:
            _record(errand, attempt(errand))

    def answer(_: None) -> Kept:
        found = Appointment.objects.get(pk=appointment.pk)
        room = Room.objects.filter(appointment=found).first()
        status = RoomStatus(found.room_status) if found.room_status else None
        return Kept(status, room.error if room else "")

    return Outside(work, answer)


def _lease(room: Room) -> uuid.UUID:
    room.lease, room.due_at = uuid.uuid4(), clock.now() + LEASE
    room.save(update_fields=["lease", "due_at"])
    return room.lease


def _take_due() -> Sequence[Errand]:
    now = clock.now()
    with (
        across_organizations(reason="ask for the rooms of every clinic", actor=ACTOR, trace=TRACE),
        connection.cursor() as cursor,
    ):
        cursor.execute(_LEASE, {"now": now, "until": now + LEASE, "of_one": OF_ONE_CLINIC, "most": AT_ONCE})
        leased = cursor.fetchall()
    errands = [_taken(*each) for each in leased]
    return [errand for errand in errands if errand is not None]


def _taken(room_id: int, organization_id: int, lease: uuid.UUID) -> Errand | None:
    """Read what is wanted; a mistake of ours with one room is logged, and keeps no other waiting."""
    try:
        with acting_for(organization_id, actor=ACTOR, trace=TRACE):
            return _errand(room_id, organization_id, lease)
    except Exception:
        logger.exception("room %s cannot be asked for", room_id)
        return None


def _errand(room_id: int, organization_id: int, lease: uuid.UUID) -> Errand | None:
    """Return what is to be asked, None where there is nothing to ask; from here on the room may exist."""
    key = Room.objects.filter(pk=room_id, lease=lease).values_list("appointment_id", flat=True).first()
    if key is None:
        return None
    appointment = moves.lock(Appointment(pk=key))
    room = Room.objects.select_for_update().get(pk=room_id)
    terms, may_exist = rooms.terms_of(room), room.may_exist
    if terms is not None and terms.ends_at <= clock.now():
        _let_rest(appointment, room)
        return None
    if terms is not None and not may_exist:
        room.may_exist = True
        room.save(update_fields=["may_exist"])
    name = room_name(organization_id, appointment.pk)
    provider = video.provider_for(appointment)
    return Errand(room_id, appointment.pk, organization_id, lease, name, provider, terms, may_exist)


def _let_rest(appointment: Appointment, room: Room) -> None:
    """Ask nothing about a time that is over: a room that was made has ended by itself, no other is made any more."""
    room.due_at = room.lease = None
    if appointment.room_status != RoomStatus.READY:
        room.error = rooms.OVER
        rooms.show(appointment, status=RoomStatus.FAILED)
    room.save()


def attempt(errand: Errand) -> Outcome:
    """Ask the provider; runs in a thread, in no transaction."""
    try:
        if errand.terms is None:
            if errand.may_exist:
                errand.provider.remove(errand.name)
            return Outcome()
        wanted = Wanted(errand.name, errand.terms.ends_at, records=errand.terms.records)
        return Outcome(url=errand.provider.keep(wanted, may_exist=errand.may_exist))
    except ProviderFailed as failed:
        return Outcome(failure=failed.reason)
    except Exception as error:
        logger.exception("asking for %s failed", errand.name)
        return Outcome(failure=type(error).__name__)


def _record(errand: Errand, outcome: Outcome) -> None:
    """Write down what came of it, unless the lease has run out and somebody else asks."""
    with acting_for(errand.organization_id, actor=ACTOR, trace=TRACE):
        appointment = moves.lock(Appointment(pk=errand.appointment_id))
        room = Room.objects.select_for_update().filter(pk=errand.room_id, lease=errand.lease).first()
        if room is None:
            return
        room.lease = None
        if rooms.terms_of(room) != errand.terms:
            room.due_at = clock.now()
            room.save()
        elif outcome.failure is not None:
            _failed(appointment, room, outcome.failure)
        elif errand.terms is None:
            room.delete()
        else:
            room.due_at, room.attempts, room.error = None, 0, ""
            room.save()
            rooms.show(appointment, status=RoomStatus.READY, url=outcome.url)


def _failed(appointment: Appointment, room: Room, reason: str) -> None:
    """Try again later, or give up."""
    room.attempts, room.error = room.attempts + 1, reason
    wait = retry_after(room.attempts)
    room.due_at = clock.now() + wait if wait else None
    room.save()
    logger.warning("room of appointment %s: %s", appointment.pk, reason, extra={"attempts": room.attempts})
    if wait is None and room.ends_at is not None:
        rooms.show(appointment, status=RoomStatus.FAILED)
