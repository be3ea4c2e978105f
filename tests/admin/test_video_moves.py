"""Video rooms in the back office: how far they are, the way in, and another try."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest

from apps.organizations.models import AuditEntry
from apps.scheduling.models import Room
from apps.scheduling.services import rooms
from tests.make.organizations import within
from tests.scheduling.calls import Sessions, daily_server

__all__ = ["daily_server"]

LIST = "/admin/scheduling/appointment/"


@pytest.fixture
def sessions(cast):
    return Sessions(cast)


@pytest.fixture
def session(sessions):
    made = sessions.make(starts_in=timedelta(minutes=10))
    sessions.keep()
    return sessions.now(made)


def move_path(name, row):
    return f"{LIST}moves/{name}/?ids={row.pk}"


def failed(sessions, row, reason="answer 500: server-error"):
    with within(sessions.cast.sud):
        Room.objects.filter(appointment=row).update(attempts=4, due_at=None, error=reason)
        rooms.show(row, status="failed")


class TestJoining:
    def test_leads_the_specialist_into_the_room(self, cast, office, session):
        sara = office(cast.sara)
        page = sara.get(f"{LIST}{session.pk}/change/")
        assert f'action="{move_path("join", session)}" target="_blank"' in page.html

        led = sara.post(move_path("join", session))

        assert led.status == 200
        address = unescape(re.search(r'content="0;url=([^"]+)"', led.html)[1])
        assert address.startswith(f"{session.room_url}?t=")
        assert f'href="{address}"' in unescape(led.html)
        assert "no-cache" in led.headers["Cache-Control"] or "no-store" in led.headers["Cache-Control"]
        with within(cast.sud):
            entry = AuditEntry.objects.get(entity_type="videocall")
        assert (entry.actor_id, entry.source) == (str(cast.sara.user.pk), "admin")

    def test_is_offered_to_nobody_else(self, cast, office, session):
        for person in (cast.ion, cast.mara):
            page = office(person).get(f"{LIST}{session.pk}/change/")
            assert "moves/join/" not in page.html

        ion = office(cast.ion)
        assert "error" in ion.post(move_path("join", session)).messages[0]

    def test_is_not_offered_before_its_time(self, cast, office, sessions):
        made = sessions.make(starts_in=timedelta(hours=2))
        sessions.keep()

        page = office(cast.sara).get(f"{LIST}{made.pk}/change/")

        assert "moves/join/" not in page.html
        assert "for the specialist at" in page.text

    def test_is_no_action_of_the_list(self, cast, office, session):
        page = office(cast.sara).get(LIST)

        assert 'value="join"' not in page.html


class TestRetrying:
    def test_tells_at_once_what_came_of_it(self, cast, office, sessions, session):
        failed(sessions, session)
        desk = office(cast.mara)
        page = desk.get(f"{LIST}{session.pk}/change/")
        assert "answer 500: server-error" in page.text
        assert "Retry room" in page.text

        after = desk.post(move_path("retry-room", session))

        assert sessions.now(session).room_status == "ready"
        assert "The video room is ready." in after.messages[0]

    def test_says_why_it_failed_again(self, cast, office, sessions, daily_server):
        sessions.use_daily()
        made = sessions.make(starts_in=timedelta(hours=2))
        failed(sessions, made)
        daily_server.failing = (401, "authentication-error")
        desk = office(cast.mara)

        (told,) = desk.post(move_path("retry-room", made)).messages

        assert "No room yet: answer 401: authentication-error: try later. It is tried again by itself." in told

    def test_is_offered_for_a_failed_room_alone(self, cast, office, session):
        assert "Retry room" not in office(cast.mara).get(f"{LIST}{session.pk}/change/").text
