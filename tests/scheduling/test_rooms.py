"""Video rooms at Daily: made, changed and removed as appointments want them, whatever the provider does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine as machine

from apps.organizations.models import AuditEntry
from apps.profiles.services import consents
from apps.scheduling.errors import RoomNotFailed
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Room
from apps.scheduling.services import appointments, details, room_keeping, rooms
from restartix.diagnosis import video as diagnosis
from restartix.diagnosis.findings import State
from tests.make import organizations as make
from tests.make import profiles
from tests.scheduling import daily
from tests.scheduling.calls import Sessions, daily_server

__all__ = ["daily_server"]
S = AppointmentStatus


@pytest.fixture
def sessions(cast: Any) -> Sessions:
    return Sessions(cast)


@pytest.fixture
def at_daily(sessions: Sessions, daily_server: daily.DailyServer) -> daily.DailyServer:
    sessions.use_daily()
    return daily_server


def name(appointment: Any) -> str:
    return f"restartix-{appointment.organization_id}-{appointment.pk}"


class TestMaking:
    def test_a_room_is_private_for_two_and_ends_exactly_with_the_appointment(self, sessions, at_daily):
        made = sessions.make()

        sessions.keep()

        room = at_daily.rooms[name(made)]
        assert room["privacy"] == "private"
        assert room["config"] == {
            "exp": int(made.ended_at.timestamp()),
            "eject_at_room_exp": True,
            "max_participants": 2,
            "enable_knocking": False,
        }
        now = sessions.now(made)
        assert (now.room_status, now.room_url) == ("ready", f"{daily.DOMAIN}/{name(made)}")

    def test_nothing_is_asked_while_the_appointment_is_made(self, sessions, at_daily):
        made = sessions.make()

        assert sessions.now(made).room_status == "pending"
        assert at_daily.calls == []

    def test_a_room_that_is_as_wanted_is_asked_for_once(self, sessions, at_daily):
        made = sessions.make()
        for _ in range(3):
            sessions.keep()
        sessions.do(appointments.change_status, made, to=S.CONFIRMED)
        sessions.keep()

        assert at_daily.asked == ["POST /rooms"]

    def test_a_visit_at_the_clinic_has_none(self, sessions, at_daily):
        made = sessions.make(mode="in_person")

        sessions.keep()

        assert at_daily.calls == []
        assert sessions.now(made).room_status is None
        assert sessions.room(made) is None

    def test_a_room_becoming_ready_leaves_updated_at_alone(self, sessions, at_daily):
        made = sessions.make()
        before = sessions.now(made).updated_at

        sessions.keep()

        assert sessions.now(made).updated_at == before

    def test_an_answer_that_was_lost_makes_no_second_room(self, sessions, at_daily):
        made = sessions.make()
        at_daily.loses_answers = True
        sessions.keep()
        assert sessions.now(made).room_status == "pending"

        at_daily.loses_answers = False
        with machine.travel(made.created_at + timedelta(seconds=15)):
            sessions.keep()

        assert list(at_daily.rooms) == [name(made)]
        assert at_daily.asked == ["POST /rooms", f"POST /rooms/{name(made)}"]
        assert sessions.now(made).room_status == "ready"

    def test_a_name_that_is_taken_is_taken_over(self, sessions, at_daily):
        made = sessions.make()
        at_daily.answer(
            "POST", "/rooms", {"Authorization": f"Bearer {daily.KEY}"}, {"name": name(made), "properties": {}}
        )

        sessions.keep()

        assert at_daily.rooms[name(made)]["privacy"] == "private"
        assert sessions.now(made).room_status == "ready"

    def test_a_time_that_is_over_gets_no_room(self, sessions, at_daily):
        made = sessions.make(starts_in=timedelta(hours=-3))

        sessions.keep()

        assert at_daily.calls == []
        assert sessions.now(made).room_status == "failed"
        assert sessions.room(made).error == rooms.OVER

    def test_an_appointment_that_nobody_told_of_is_found(self, sessions, at_daily):
        made = sessions.make()
        with make.within(sessions.cast.sud):
            Room.objects.filter(appointment=made).delete()

        sessions.keep()

        assert name(made) in at_daily.rooms


class TestChanging:
    @pytest.fixture
    def ready(self, sessions, at_daily):
        made = sessions.make(starts_in=timedelta(hours=30))
        sessions.keep()
        return made

    def test_a_reschedule_moves_the_end_and_the_link_stays(self, sessions, at_daily, ready):
        start = ready.started_at + timedelta(hours=2)
        moved = sessions.do(appointments.reschedule, ready, started_at=start)
        assert (moved.room_status, moved.room_url) == ("ready", f"{daily.DOMAIN}/{name(ready)}")

        sessions.keep()

        assert at_daily.rooms[name(ready)]["config"]["exp"] == int((start + timedelta(minutes=50)).timestamp())
        assert sessions.now(ready).room_status == "ready"

    @pytest.mark.parametrize("ending", ["cancelled", "noshow", "done", "deleted", "in_person"])
    def test_a_room_goes_with_what_it_was_for(self, sessions, at_daily, ready, ending):
        with machine.travel(ready.started_at + timedelta(minutes=5)):
            match ending:
                case "cancelled":
                    sessions.do(appointments.cancel, ready, reason="ill")
                case "noshow":
                    sessions.do(appointments.change_status, ready, to=S.NOSHOW)
                case "done":
                    sessions.do(appointments.change_status, ready, to=S.INPROGRESS)
                    sessions.do(appointments.change_status, ready, to=S.DONE)
                case "deleted":
                    sessions.do(appointments.remove, ready)
                case "in_person":
                    sessions.do(details.update, ready, mode="in_person")
            ended = sessions.now(ready)
            assert (ended.room_status, ended.room_url) == (None, None)
            sessions.keep()

        assert at_daily.rooms == {}
        assert sessions.room(ready) is None

    def test_a_room_that_comes_back_is_made_anew(self, sessions, at_daily, ready):
        sessions.do(details.update, ready, mode="in_person")
        sessions.keep()

        back = sessions.do(details.update, ready, mode="video")
        assert back.room_status == "pending"
        sessions.keep()

        assert name(ready) in at_daily.rooms
        assert sessions.now(ready).room_status == "ready"

    def test_removing_a_room_that_is_gone_is_as_good(self, sessions, at_daily, ready):
        at_daily.rooms.clear()
        sessions.do(appointments.cancel, ready, reason="ill")

        sessions.keep()

        assert sessions.room(ready) is None

    def test_a_room_that_somebody_deleted_is_made_again_by_the_next_change(self, sessions, at_daily, ready):
        at_daily.rooms.clear()
        sessions.do(appointments.reschedule, ready, started_at=ready.started_at + timedelta(hours=1))

        sessions.keep()

        assert name(ready) in at_daily.rooms


class TestRecording:
    def agree(self, sessions):
        return profiles.consent(sessions.patient, "video_recording")

    def withdraw(self, sessions, record):
        with make.within(sessions.cast.sud):
            consents.withdraw(record, by=make.SYSTEM)

    def recording(self, at_daily, appointment):
        return at_daily.rooms[name(appointment)]["config"].get("enable_recording")

    def test_is_offered_exactly_while_the_patient_agrees(self, sessions, at_daily):
        made = sessions.make()
        sessions.keep()
        assert self.recording(at_daily, made) is None

        record = self.agree(sessions)
        sessions.keep()
        assert self.recording(at_daily, made) == "cloud"

        self.withdraw(sessions, record)
        sessions.keep()
        assert self.recording(at_daily, made) is None
        assert sessions.now(made).room_status == "ready"

    def test_a_room_whose_recording_stays_on_is_made_anew(self, sessions, at_daily):
        record = self.agree(sessions)
        made = sessions.make()
        sessions.keep()
        at_daily.keeps_recording = True

        self.withdraw(sessions, record)
        sessions.keep()

        assert self.recording(at_daily, made) is None
        assert f"DELETE /rooms/{name(made)}" in at_daily.asked

    def test_an_account_that_always_records_is_refused(self, sessions, at_daily):
        at_daily.always_records = True
        made = sessions.make()

        sessions.keep()

        assert sessions.now(made).room_status == "pending"
        assert "record" in sessions.room(made).error


class TestFailing:
    def test_is_retried_after_ten_seconds_a_minute_ten_minutes_and_then_failed(self, sessions, at_daily):
        at_daily.failing = (500, "server-error")
        made = sessions.make(starts_in=timedelta(hours=2))
        moment = made.created_at + timedelta(seconds=1)
        tries = []
        for wait in (0, 9, 2, 58, 3, 595, 10, 3600, 36_000):
            moment += timedelta(seconds=wait)
            with machine.travel(min(moment, made.ended_at - timedelta(minutes=1)), tick=False):
                sessions.keep()
            tries.append(len(at_daily.calls))

        assert tries == [1, 1, 2, 2, 3, 3, 4, 4, 4]
        failed = sessions.now(made)
        assert (failed.room_status, failed.room_url) == ("failed", None)
        assert sessions.room(made).error == "answer 500: server-error: try later"

    def test_never_stands_in_the_way_of_a_transition(self, sessions, at_daily):
        at_daily.failing = (503, "server-error")
        made = sessions.make()
        sessions.keep()

        sessions.do(appointments.change_status, made, to=S.INPROGRESS)
        done = sessions.do(appointments.change_status, made, to=S.DONE)

        assert (done.status, done.room_status) == ("done", None)

    @pytest.mark.parametrize(
        ("trouble", "told"),
        [
            ({"failing": (429, "rate-limit-error")}, "answer 429: rate-limit-error: try later"),
            ({"key": "another"}, "answer 401: authentication-error"),
            ({"loses_answers": True}, "no answer (connection)"),
        ],
    )
    def test_says_what_the_provider_said(self, sessions, at_daily, trouble, told):
        for field, value in trouble.items():
            setattr(at_daily, field, value)
        made = sessions.make()

        sessions.keep()

        assert sessions.room(made).error == told
        assert sessions.now(made).room_status == "pending"

    def test_a_provider_that_hangs_is_left_after_a_while(self, sessions, at_daily, monkeypatch):
        monkeypatch.setattr("apps.scheduling.services.daily.TIMEOUT_SECONDS", 0.3)
        daily_module().cache_clear()
        at_daily.delay_seconds = 2
        made = sessions.make()

        sessions.keep()

        daily_module().cache_clear()
        assert sessions.room(made).error == "no answer (timeout)"

    def test_a_provider_that_is_not_there(self, sessions, at_daily, settings):
        settings.DAILY_API_URL = "http://127.0.0.1:9/v1"
        made = sessions.make()

        sessions.keep()

        assert sessions.room(made).error == "no answer (connection)"

    def test_an_address_of_the_inside_is_never_called(self, sessions, at_daily, settings):
        settings.DAILY_API_URL = "http://localhost:1/v1"
        made = sessions.make()

        sessions.keep()

        assert sessions.room(made).error == "no answer (blocked_address)"

    def test_the_desk_tries_a_failed_room_again_and_sees_at_once_what_came_of_it(self, sessions, at_daily):
        at_daily.failing = (500, "server-error")
        made = sessions.make(starts_in=timedelta(hours=2))
        with make.within(sessions.cast.sud):
            room = Room.objects.get(appointment=made)
            room.attempts, room.due_at = 4, None
            room.save()
            rooms.show(made, status="failed")
        at_daily.failing = None

        sessions.do(rooms.retry, made)
        assert sessions.now(made).room_status == "pending"
        outside = room_keeping.attempt_now(made)
        outside.work()

        assert sessions.now(made).room_status == "ready"
        with pytest.raises(RoomNotFailed):
            sessions.do(rooms.retry, made)

    def test_a_reschedule_gives_a_failed_room_another_chance(self, sessions, at_daily):
        made = sessions.make(starts_in=timedelta(hours=2))
        with make.within(sessions.cast.sud):
            Room.objects.filter(appointment=made).update(attempts=4, due_at=None)
            rooms.show(made, status="failed")

        sessions.do(appointments.reschedule, made, started_at=made.started_at + timedelta(hours=1))
        sessions.keep()

        assert sessions.now(made).room_status == "ready"


def daily_module():
    from apps.scheduling.services.daily import _poster

    return _poster


class TestMeanwhile:
    def test_what_changed_while_the_provider_was_asked_is_asked_again(self, sessions, at_daily, monkeypatch):
        made = sessions.make(starts_in=timedelta(hours=30))
        start = made.started_at + timedelta(hours=1)
        real = room_keeping.attempt
        asked = []

        def slow(errand):
            outcome = real(errand)
            if not asked:
                asked.append(errand)
                # nothing is held while the provider answers: the clinic goes on
                sessions.do(appointments.reschedule, made, started_at=start)
            return outcome

        with monkeypatch.context() as patch:
            patch.setattr(room_keeping, "ThreadPoolExecutor", _Inline)
            patch.setattr(room_keeping, "attempt", slow)
            sessions.keep()

        assert at_daily.rooms[name(made)]["config"]["exp"] == int((start + timedelta(minutes=50)).timestamp())
        assert sessions.room(made).due_at is None

    def test_a_keeper_that_was_killed_is_followed_by_another_when_its_lease_is_over(self, sessions, at_daily):
        made = sessions.make(starts_in=timedelta(hours=2))
        assert len(room_keeping._take_due()) == 1

        with machine.travel(made.created_at + timedelta(seconds=50)):
            sessions.keep()
        assert at_daily.calls == []
        with machine.travel(made.created_at + timedelta(seconds=70)):
            sessions.keep()

        assert sessions.now(made).room_status == "ready"

    def test_an_outcome_that_comes_too_late_counts_no_more(self, sessions, at_daily):
        made = sessions.make(starts_in=timedelta(hours=2))
        (late,) = room_keeping._take_due()
        with machine.travel(made.created_at + timedelta(seconds=70)):
            sessions.keep()

        room_keeping._record(late, room_keeping.Outcome(failure="late"))

        assert sessions.now(made).room_status == "ready"

    def test_one_clinic_takes_half_of_a_turn_at_most(self, sessions, at_daily):
        for hour in range(6):
            sessions.make(starts_in=timedelta(hours=30 + hour))

        assert len(room_keeping._take_due()) == room_keeping.OF_ONE_CLINIC


class _Inline:
    """A pool that works in the caller's thread."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __enter__(self) -> _Inline:
        return self

    def __exit__(self, *_: Any) -> None:
        pass

    map = staticmethod(map)


class TestProviders:
    def test_without_a_key_the_stand_in_serves_and_a_key_moves_the_rooms_to_daily(self, sessions, daily_server):
        made = sessions.make(starts_in=timedelta(hours=30))
        sessions.keep()
        assert sessions.now(made).room_url.endswith(f"/book/clinica-sud/video/{made.uid}/")
        assert daily_server.calls == []

        sessions.use_daily()
        sessions.keep()

        assert sessions.now(made).room_url == f"{daily.DOMAIN}/{name(made)}"

    def test_no_secret_is_kept_anywhere(self, sessions, at_daily, caplog):
        at_daily.failing = (401, "authentication-error")
        made = sessions.make()

        sessions.keep()

        with make.within(sessions.cast.sud):
            trail = str(list(AuditEntry.objects.values_list("changes", flat=True)))
        assert daily.KEY not in caplog.text + trail + sessions.room(made).error
        assert daily.DOMAIN not in trail


class TestDoctor:
    def finding(self):
        (found,) = diagnosis.rooms()
        return found

    def test_without_a_key_the_stand_in_serves(self, cast):
        assert self.finding().state == State.ABSENT

    def test_asks_with_each_clinics_key(self, sessions, at_daily):
        found = self.finding()

        assert (found.state, found.found) == (
            State.OK,
            "1 clinic with a key: Daily answers; the others have the stand-in",
        )
        assert at_daily.asked == ["GET /"]

    def test_names_the_clinic_whose_key_is_refused_and_no_key(self, sessions, at_daily):
        at_daily.key = "another"

        found = self.finding()

        assert found.state == State.WARNING
        assert "clinica-sud: answer 401: authentication-error" in found.found
        assert daily.KEY not in found.found
