"""Coming into a video room: who, when, with what; at Daily, and at the stand-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine as machine
from django.db import connection
from django.test import Client

from apps.organizations.models import AuditEntry
from apps.scheduling.services import appointments
from tests.client import forget_settings
from tests.make import organizations as make
from tests.make import profiles
from tests.profiles.test_api_patients import caregiver
from tests.scheduling import daily
from tests.scheduling.calls import Sessions, daily_server

__all__ = ["daily_server"]


@pytest.fixture
def sessions(cast: Any) -> Sessions:
    return Sessions(cast)


@pytest.fixture
def session(sessions: Sessions) -> Any:
    """A session in ten minutes, its room ready at the stand-in."""
    made = sessions.make(starts_in=timedelta(minutes=10))
    sessions.keep()
    return sessions.now(made)


def path(appointment):
    return f"/v1/appointments/{appointment.pk}/videocall/join"


def instant(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class TestWho:
    def test_the_specialist_owns_the_room_and_the_patient_takes_part(self, cast, api, session):
        sara, ana = (api(person).post(path(session)) for person in (cast.sara, cast.ana))

        assert (sara.status, set(sara.data)) == (200, {"room_url", "token", "role", "expires_at"})
        assert (sara.data["role"], ana.data["role"]) == ("owner", "participant")
        assert sara.data["expires_at"] == instant(session.ended_at)
        assert sara.data["room_url"] == session.room_url
        assert sara.data["token"] != ana.data["token"]

    def test_a_caregiver_takes_part_with_manage_alone(self, cast, api, session):
        manages, looks = (
            caregiver(cast, cast.ana.patient, name, right)
            for name, right in (("Dan Pop", "manage"), ("Ilie Pop", "view"))
        )

        assert api(manages).post(path(session)).data["role"] == "participant"
        assert api(looks).post(path(session)).status == 403

    def test_the_desk_has_no_part_in_it(self, cast, api, session):
        assert {api(person).post(path(session)).status for person in (cast.ion, cast.mara)} == {403}

    def test_nobody_else_knows_of_it(self, cast, api, session):
        assert {api(person).post(path(session)).status for person in (cast.nora, cast.sorin, cast.petra)} == {404}

    def test_takes_no_body(self, cast, api, session):
        assert api(cast.sara).post(path(session), {}).status == 200
        assert api(cast.sara).post(path(session), {"role": "owner"}).status == 422


class TestWhen:
    @pytest.mark.parametrize(("person", "early"), [("sara", timedelta(minutes=60)), ("ana", timedelta(minutes=15))])
    def test_from_some_time_before_the_start_until_the_end(self, cast, api, sessions, person, early):
        made = sessions.make(starts_in=timedelta(hours=5))
        sessions.keep()
        opens, second = made.started_at - early, timedelta(seconds=1)
        found = []
        for moment in (opens - second, opens, made.ended_at - second, made.ended_at):
            with machine.travel(moment, tick=False):
                answer = api(getattr(cast, person)).post(path(made))
            found.append((answer.status, None if answer.status == 200 else (answer.code, answer.details)))

        assert found == [
            (409, ("too_early", {"not_before": instant(opens)})),
            (200, None),
            (200, None),
            (409, ("too_late", {"not_after": instant(made.ended_at)})),
        ]

    def test_a_visit_at_the_clinic_has_no_room(self, cast, api, sessions):
        made = sessions.make(mode="in_person")

        assert api(cast.sara).post(path(made)).code == "not_video"

    def test_a_room_that_is_still_being_made(self, cast, api, sessions):
        made = sessions.make(starts_in=timedelta(minutes=10))

        assert api(cast.sara).post(path(made)).code == "room_not_ready"

    def test_a_room_of_a_provider_that_no_longer_serves(self, cast, api, sessions, session, daily_server):
        sessions.use_daily()

        assert api(cast.sara).post(path(session)).code == "room_not_ready"

        sessions.keep()
        assert api(cast.sara).post(path(session)).data["room_url"].startswith(daily.DOMAIN)

    def test_a_session_that_is_cancelled(self, cast, api, sessions, session):
        sessions.do(appointments.cancel, session, reason="ill")

        answer = api(cast.sara).post(path(session))

        assert answer.code == "invalid_transition"
        assert answer.details == {"from": "cancelled", "to": "inprogress", "allowed": []}


class TestToken:
    def test_is_for_one_person_one_room_and_until_the_end(self, cast, api, sessions, daily_server):
        sessions.use_daily()
        profiles.consent(sessions.patient, "video_recording")
        made = sessions.make(starts_in=timedelta(minutes=10))
        sessions.keep()

        tokens = [api(person).post(path(made)).data["token"] for person in (cast.sara, cast.ana)]

        owner, guest = (jwt.decode(token, daily.KEY * 2, algorithms=["HS256"]) for token in tokens)
        room, end = f"restartix-{cast.sud.pk}-{made.pk}", int(made.ended_at.timestamp())
        assert owner == {
            "room_name": room, "user_name": "Sara Marin", "is_owner": True, "exp": end, "enable_recording": "cloud",
        }  # fmt: skip
        assert guest == {"room_name": room, "user_name": "Ana Pop", "is_owner": False, "exp": end}

    def test_is_kept_nowhere_even_under_an_idempotency_key(self, cast, api, session, caplog):
        first, second = (api(cast.ana).post(path(session), Idempotency_Key="join-1") for _ in range(2))

        assert (first.status, second.status) == (200, 200)
        assert "Idempotency-Replayed" not in second.headers
        forget_settings()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM organizations_idempotencyrecord")
            assert cursor.fetchone() == (0,)
        with make.within(cast.sud):
            trail = str(list(AuditEntry.objects.values_list("changes", flat=True)))
        assert first.data["token"] not in trail + caplog.text

    def test_every_joining_is_on_record(self, cast, api, session):
        for person in (cast.sara, cast.ana):
            api(person).post(path(session))

        with make.within(cast.sud):
            entries = AuditEntry.objects.filter(entity_type="videocall").order_by("id")
            told = [(entry.action, entry.actor_id, entry.patient_id, entry.changes) for entry in entries]
        assert told == [
            ("READ", str(cast.sara.user.pk), cast.ana.patient.pk, {"joined_as": {"old": None, "new": "owner"}}),
            ("READ", str(cast.ana.user.pk), cast.ana.patient.pk, {"joined_as": {"old": None, "new": "participant"}}),
        ]

    def test_a_provider_that_gives_none_is_told_and_leaves_no_record(self, cast, api, sessions, daily_server):
        sessions.use_daily()
        made = sessions.make(starts_in=timedelta(minutes=10))
        sessions.keep()
        daily_server.failing = (500, "server-error")

        answer = api(cast.sara).post(path(made))

        assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "5")
        with make.within(cast.sud):
            assert not AuditEntry.objects.filter(entity_type="videocall").exists()


class TestVideocallOfAnAppointment:
    def test_shows_how_far_the_room_is(self, cast, api, sessions):
        made = sessions.make()
        name = f"restartix-{cast.sud.pk}-{made.pk}"

        before = api(cast.ana).get(f"/v1/appointments/{made.pk}").data["videocall"]
        sessions.keep()
        after = api(cast.ana).get(f"/v1/appointments/{made.pk}").data["videocall"]

        assert before == {"status": "pending", "room_name": name, "room_url": None}
        assert after == {"status": "ready", "room_name": name, "room_url": sessions.now(made).room_url}

    def test_a_room_becoming_ready_breaks_nobodys_if_match(self, cast, api, sessions):
        made = sessions.make()
        read = api(cast.ion).get(f"/v1/appointments/{made.pk}")
        sessions.keep()

        again = api(cast.ion).get(f"/v1/appointments/{made.pk}", If_None_Match=read.headers["ETag"])
        moved = api(cast.ion).put(
            f"/v1/appointments/{made.pk}/status", {"status": "confirmed"}, If_Match=read.headers["ETag"]
        )
        stale = api(cast.ion).put(
            f"/v1/appointments/{made.pk}/status", {"status": "inprogress"}, If_Match=read.headers["ETag"]
        )

        assert (again.status, moved.status, stale.status) == (200, 200, 412)


class TestStandInPage:
    def visit(self, address):
        place = address.split("//", 1)[1]
        forget_settings()
        answer = Client().get(place[place.index("/") :])
        forget_settings()
        return answer

    def test_says_what_it_stands_for_to_whoever_has_a_token(self, cast, api, session):
        joined = api(cast.ana).post(path(session)).data

        answer = self.visit(f"{joined['room_url']}?t={joined['token']}&lang=en")

        assert answer.status_code == 200
        page = answer.content.decode()
        assert "stands in for a video call" in page
        assert "You have come in as Ana Pop." in page
        assert "Not offered" in page
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")

    def test_is_private(self, cast, api, sessions, session):
        other = sessions.make(starts_in=timedelta(minutes=-40), minutes=45)
        sessions.keep()
        foreign = api(cast.sara).post(path(other)).data["token"]

        answers = [
            self.visit(f"{session.room_url}{query}") for query in ("", "?t=", "?t=nonsense", "?t=%00", f"?t={foreign}")
        ]

        assert {answer.status_code for answer in answers} == {403}
        assert not any("Ana" in answer.content.decode() for answer in answers)

    def test_is_over_when_the_session_is(self, cast, api, sessions, session):
        joined = api(cast.ana).post(path(session)).data
        address = f"{joined['room_url']}?t={joined['token']}"

        with machine.travel(session.ended_at + timedelta(seconds=1)):
            assert self.visit(address).status_code == 403
        sessions.do(appointments.cancel, session, reason="ill")
        assert self.visit(address).status_code == 404
