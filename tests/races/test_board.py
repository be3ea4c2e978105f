"""The board under many hands: no lost update, no half swap, and every change heard within a second by every process."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from apps.scheduling.models import Appointment, Claim
from apps.scheduling.selectors.day import version_of
from tests.admin.office import appointment, booking, template
from tests.make.organizations import within
from tests.races.crowd import at_once
from tests.races.desk import Desk

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]
HOUR = timedelta(hours=1)


@pytest.fixture
def monday() -> datetime:
    """The next Monday, 08:00 UTC."""
    day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(days=(7 - day.weekday()) % 7)


@pytest.fixture
def offered(cast):
    return template(cast.sud, cast.sara.specialist, cast.tudor.specialist)


def moving(desk, port, row, start, version=None):
    fields = {"version": version or version_of(row), "start": int(start.timestamp())}
    return lambda: desk.post(port, f"/admin/today/visits/{row.pk}/move/", fields)


def fresh(cast, row):
    with within(cast.sud):
        return Appointment.objects.get(pk=row.pk)


class TestMoves:
    def test_of_one_visit_at_once_one_wins_and_the_others_are_told(self, cast, offered, monday, web_servers):
        servers = web_servers(2)
        mara, ion = Desk.of(cast.mara), Desk.of(cast.ion)
        row = appointment(cast.sud, cast.sara.specialist, offered, monday, "Ana Radu")

        for turn in range(5):
            row = fresh(cast, row)
            hours = [hour for hour in range(1, 8) if monday + HOUR * hour != row.started_at][:6]
            answers = at_once(
                moving([mara, ion][number % 2], servers[number % 2].port, row, monday + HOUR * hour)
                for number, hour in enumerate(hours)
            )

            won = [hour for hour, (status, _told) in zip(hours, answers, strict=True) if status == 200]
            lost = [told for status, told in answers if status != 200]
            assert len(won) == 1, (turn, answers)
            assert {told["code"] for told in lost} == {"changed_meanwhile"}
            assert all("moved this visit at" in told["said"] for told in lost)
            assert fresh(cast, row).started_at == monday + HOUR * won[0]

    def test_that_would_swap_two_visits_leave_both_or_move_one(self, cast, offered, monday, web_servers):
        servers = web_servers(2)
        mara, ion = Desk.of(cast.mara), Desk.of(cast.ion)
        one = appointment(cast.sud, cast.sara.specialist, offered, monday, "Ana Radu")
        other = appointment(cast.sud, cast.sara.specialist, offered, monday + HOUR, "Dan Pop")

        for _turn in range(5):
            answers = at_once(
                [
                    moving(mara, servers[0].port, one, monday + HOUR),
                    moving(ion, servers[1].port, other, monday),
                ]
            )

            assert [(status, told["code"]) for status, told in answers] == [(409, "slot_unavailable")] * 2

        with within(cast.sud):
            assert Claim.objects.count() == 2
            assert [fresh(cast, each).started_at for each in (one, other)] == [monday, monday + HOUR]


class TestTheStream:
    def test_is_heard_within_a_second_from_another_process(self, cast, offered, monday, web_servers):
        servers = web_servers(2)
        mara = Desk.of(cast.mara)
        row = appointment(cast.sud, cast.sara.specialist, offered, monday)
        streams = [Desk.of(each).listen(servers[0].port) for each in (cast.ion, cast.sara)]
        for stream in streams:
            stream.wait_for("ready")

        began = time.monotonic()
        status, _told = moving(mara, servers[1].port, row, monday + HOUR)()

        assert status == 200
        assert all(stream.wait_for("changed").at - began < 1 for stream in streams)

    def test_says_nothing_but_that_something_changed_and_nothing_to_other_clinics(
        self, cast, offered, monday, web_servers
    ):
        (server,) = web_servers(1)
        here, there = Desk.of(cast.mara).listen(server.port), Desk.of(cast.nora).listen(server.port)
        for stream in (here, there):
            stream.wait_for("ready")

        booking(cast.sud, offered, monday, "Maria Ionescu")

        assert here.wait_for("changed").data == {}
        time.sleep(0.5)
        assert [event.name for event in there.events] == ["ready"]

    def test_tells_a_burst_together(self, cast, offered, monday, web_servers):
        (server,) = web_servers(1)
        stream = Desk.of(cast.mara).listen(server.port)
        stream.wait_for("ready")

        began = time.monotonic()
        for hour in range(8):
            appointment(cast.sud, cast.tudor.specialist, offered, monday + HOUR * hour, f"Patient {hour}")
        lasted = time.monotonic() - began
        time.sleep(0.6)

        told = [event.at for event in stream.events if event.name == "changed"]
        assert 1 <= len(told) <= lasted / 0.25 + 2
        assert all(later - earlier > 0.2 for earlier, later in pairwise(told))

    def test_is_for_whoever_may_open_the_board(self, cast, web_servers):
        (server,) = web_servers(1)

        assert Desk("nobody").listen(server.port).status == 302
        assert Desk.of(cast.root).listen(server.port).status == 404

    def test_ends_with_the_server_and_the_page_reads_what_it_missed(self, cast, offered, monday, web_servers):
        (server,) = web_servers(1)
        mara = Desk.of(cast.mara)
        path = f"/admin/today/board/?date={monday.date()}"
        _status, seen, _text = mara.get(server.port, path)
        stream = mara.listen(server.port)
        stream.wait_for("ready")
        server.stop()
        deadline = time.monotonic() + 10
        while stream.closed_at is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert stream.closed_at is not None
        booking(cast.sud, offered, monday, "Maria Ionescu")
        (again,) = web_servers(1)

        status, _etag, text = mara.get(again.port, path, If_None_Match=seen)

        assert (status, "Maria Ionescu" in text) == (200, True)
