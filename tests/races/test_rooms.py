"""Video rooms with several keepers at once, while the clinic goes on changing its mind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from apps.scheduling.models import Room
from apps.scheduling.services import appointments, room_keeping, rooms
from tests.make.organizations import within
from tests.races.crowd import at_once
from tests.scheduling.calls import Sessions, daily_server

__all__ = ["daily_server"]

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]


def test_many_keepers_make_each_room_once(cast, daily_server) -> None:
    sessions = Sessions(cast)
    sessions.use_daily()
    made = [sessions.make(starts_in=timedelta(hours=30 + hour)) for hour in range(8)]
    daily_server.delay_seconds = 0.05

    at_once([sessions.keep] * 4)
    sessions.keep()

    assert sorted(daily_server.asked) == ["POST /rooms"] * 8
    assert {sessions.now(each).room_status for each in made} == {"ready"}


def test_what_the_clinic_wants_last_is_what_the_provider_has(cast, daily_server) -> None:
    sessions = Sessions(cast)
    sessions.use_daily()
    made = [sessions.make(starts_in=timedelta(hours=30 + 2 * hour)) for hour in range(6)]
    daily_server.delay_seconds = 0.05
    moved, dropped = made[::2], made[1::2]
    changes = [
        *(lambda each=each: _moved(sessions, each) for each in moved),
        *(lambda each=each: sessions.do(appointments.cancel, each, reason="ill") for each in dropped),
    ]

    at_once([*[sessions.keep] * 3, *changes])
    sessions.keep()

    now = [sessions.now(each) for each in moved]
    assert set(daily_server.rooms) == {f"restartix-{cast.sud.pk}-{each.pk}" for each in moved}
    assert [room["config"]["exp"] for _, room in sorted(daily_server.rooms.items())] == [
        int(each.ended_at.timestamp()) for each in sorted(now, key=lambda each: str(each.pk))
    ]
    assert {each.room_status for each in now} == {"ready"}
    with within(cast.sud):
        assert set(Room.objects.values_list("appointment_id", "due_at")) == {(each.pk, None) for each in moved}


def _moved(sessions: Sessions, appointment) -> None:
    sessions.do(appointments.reschedule, appointment, started_at=appointment.started_at + timedelta(minutes=30))


def test_no_transaction_is_open_while_the_provider_is_waited_for(cast, daily_server, monkeypatch) -> None:
    sessions = Sessions(cast)
    sessions.use_daily()
    made = sessions.make(starts_in=timedelta(hours=30))
    real, seen = room_keeping.attempt, []

    def attempt(errand):
        seen.append(connection.in_atomic_block)
        return real(errand)

    monkeypatch.setattr(room_keeping, "attempt", attempt)
    with within(cast.sud):
        rooms.show(made, status="failed")
        room = Room.objects.get(appointment=made)
        room.attempts, room.due_at = 4, None
        room.save()
    room_keeping.attempt_now(sessions.do(rooms.retry, made)).work()

    assert seen == [False]
    assert sessions.now(made).room_status == "ready"
