"""What the desk does with a visit from the board: its card, arrivals, moves, endings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.day import version_of
from apps.scheduling.services import appointments
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, acting_for
from tests.admin.office import appointment, booking, hold, template
from tests.make.organizations import SYSTEM, within

ZONE = ZoneInfo("Europe/Bucharest")
HOUR = timedelta(hours=1)


@pytest.fixture
def soon():
    """Ten minutes from now."""
    return datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=10)


@pytest.fixture
def offered(cast):
    return template(cast.sud, cast.sara.specialist)


@pytest.fixture
def visit(cast, offered, soon):
    """A visit that begins in ten minutes."""
    return appointment(cast.sud, cast.sara.specialist, offered, soon)


@pytest.fixture
def planned(cast, offered, monday):
    """A visit of next Monday at ten."""
    return appointment(cast.sud, cast.sara.specialist, offered, monday, "Ana Radu")


def again(cast, row):
    with within(cast.sud):
        return Appointment.objects.get(pk=row.pk)


def asked(row, start, **more):
    return {"version": version_of(row), "start": int(start.timestamp()), **more}


def posted(page):
    return page.status, json.loads(page.html)


class TestArrivals:
    def test_are_marked_from_the_page_and_taken_back(self, cast, visit, office):
        mara = office(cast.mara)
        page = f"/admin/scheduling/appointment/{visit.pk}/change/"
        assert "moves/arrived/" in mara.get(page).html

        answer = mara.post(f"/admin/scheduling/appointment/moves/arrived/?ids={visit.pk}")

        assert answer.messages == ["success: Arrived: done."]
        assert "moves/arrived/" not in answer.html
        assert "moves/not-arrived/" in answer.html

    def test_are_shown_on_the_board_with_the_time_of_waiting(self, cast, visit, office):
        mara = office(cast.mara)
        mara.post(f"/admin/today/visits/{visit.pk}/arrived/")
        with within(cast.sud):
            Appointment.objects.filter(pk=visit.pk).update(arrived_at=datetime.now(UTC) - timedelta(minutes=12))

        day = visit.started_at.astimezone(ZONE).date()

        assert "here, 12 min" in mara.get("/admin/", date=day).text


class TestTheCard:
    def test_offers_the_desk_what_it_may_do(self, cast, visit, office):
        shown = office(cast.mara).get(f"/admin/today/visits/{visit.pk}/")

        assert [f"visits/{visit.pk}/{name}/" in shown.html for name in ("arrived", "confirm", "move", "cancel")] == [
            True
        ] * 4
        assert f"visits/{visit.pk}/start/" not in shown.html
        assert "Tudor Pop" in shown.text

    def test_offers_the_specialist_the_session_and_no_other_column(self, cast, visit, office):
        shown = office(cast.sara).get(f"/admin/today/visits/{visit.pk}/")

        assert f"visits/{visit.pk}/start/" in shown.html
        assert "Tudor Pop" not in shown.text

    def test_says_how_to_reach_somebody_who_is_a_contact_only(self, cast, offered, monday, office):
        row = booking(cast.sud, offered, monday)

        assert 'href="tel:+40721000111"' in office(cast.mara).get(f"/admin/today/visits/{row.pk}/").html

    def test_leads_to_taking_in_whoever_booked(self, cast, offered, monday, office):
        row = booking(cast.sud, offered, monday)

        assert "Take in" in office(cast.mara).get(f"/admin/today/visits/{row.pk}/", next="/admin/").text

    @pytest.mark.parametrize("who", ["tudor", "nora"])
    def test_is_not_there_for_others(self, cast, visit, office, who):
        person = {"tudor": cast.sorin, "nora": cast.nora}[who]

        assert office(person).get(f"/admin/today/visits/{visit.pk}/").status == 404

    def test_offers_nothing_of_a_visit_that_is_over(self, cast, visit, office):
        with within(cast.sud):
            appointments.cancel(visit, by=SYSTEM, reason="Ill")

        assert "<form" not in office(cast.mara).get(f"/admin/today/visits/{visit.pk}/").html


class TestAnAct:
    def test_says_what_was_done(self, cast, visit, office):
        answer = posted(office(cast.mara).post(f"/admin/today/visits/{visit.pk}/confirm/"))

        assert answer == (200, {"said": "Ana Pop: Confirm."})
        assert again(cast, visit).status == AppointmentStatus.CONFIRMED

    def test_cancels_with_a_reason_only(self, cast, visit, office):
        mara, url = office(cast.mara), f"/admin/today/visits/{visit.pk}/cancel/"

        assert mara.post(url).status == 422
        assert posted(mara.post(url, {"cancel-reason": "Ill"}))[0] == 200
        assert again(cast, visit).cancel_reason == "Ill"

    def test_that_came_too_late_is_told(self, cast, visit, office):
        mara = office(cast.mara)
        mara.post(f"/admin/today/visits/{visit.pk}/cancel/", {"cancel-reason": "Ill"})

        status, told = posted(mara.post(f"/admin/today/visits/{visit.pk}/arrived/"))

        assert (status, told["code"]) == (409, "changed_meanwhile")

    @pytest.mark.parametrize("name", ["reschedule", "delete", "nothing"])
    def test_of_another_kind_is_not_there(self, cast, visit, office, name):
        assert office(cast.mara).post(f"/admin/today/visits/{visit.pk}/{name}/").status == 404


class TestAMove:
    def test_goes_to_the_instant_and_offers_the_way_back(self, cast, planned, office, monday):
        url = f"/admin/today/visits/{planned.pk}/move/"
        mara = office(cast.mara)
        status, told = posted(mara.post(url, asked(planned, monday + HOUR)))
        moved = again(cast, planned)
        assert (status, moved.started_at) == (200, monday + HOUR)
        assert told["said"].startswith("Ana Radu is now at ")

        status, _told = posted(mara.post(url, told["undo"]))

        assert (status, again(cast, planned).started_at) == (200, monday)

    def test_goes_to_a_time_of_the_clinics_clock_and_to_somebody_else(self, cast, planned, office, monday):
        where = {"version": version_of(planned), "day": monday.date().isoformat(), "time": "15:30"}
        tudor = cast.tudor.specialist.pk

        status, _told = posted(
            office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", where | {"specialist": tudor})
        )

        moved = again(cast, planned)
        assert (status, moved.specialist_id) == (200, tudor)
        assert f"{moved.started_at.astimezone(ZONE):%H:%M}" == "15:30"

    def test_onto_a_visit_is_refused_with_who_is_there(self, cast, planned, offered, office, monday):
        appointment(cast.sud, cast.sara.specialist, offered, monday + 2 * HOUR, "Dan Petrescu")

        status, told = posted(
            office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", asked(planned, monday + 2 * HOUR))
        )

        assert (status, told["code"]) == (409, "slot_unavailable")
        assert "Dr. Sara Marin is not free: Dan Petrescu has " in told["said"]
        assert again(cast, planned).started_at == monday

    def test_onto_a_hold_says_that_somebody_is_choosing(self, cast, planned, offered, office, monday):
        hold(cast.sud, offered, monday + 2 * HOUR)

        _status, told = posted(
            office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", asked(planned, monday + 2 * HOUR))
        )

        assert "is being chosen right now" in told["said"]

    def test_of_what_somebody_else_moved_says_who(self, cast, planned, office, monday):
        seen = asked(planned, monday + HOUR)
        ion = Actor(kind="user", id=cast.ion.user.pk, name="Ion Admin", role=Role.ADMIN)
        with acting_for(cast.sud.pk, actor=ion.within(cast.sud.pk, Role.ADMIN)):
            appointments.reschedule(planned, started_at=monday + 3 * HOUR, by=ion)

        status, told = posted(office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", seen))

        assert (status, told["code"]) == (409, "changed_meanwhile")
        assert told["said"].startswith("Ion Admin moved this visit at ")
        assert again(cast, planned).started_at == monday + 3 * HOUR

    def test_by_a_specialist_stays_in_their_column(self, cast, planned, office, monday):
        where = asked(planned, monday, specialist=cast.tudor.specialist.pk)

        status, told = posted(office(cast.sara).post(f"/admin/today/visits/{planned.pk}/move/", where))

        assert (status, told["said"]) == (403, "Specialists make and move appointments in their own calendar.")

    def test_into_a_time_that_the_clock_skips_is_refused(self, cast, planned, office):
        where = {"version": version_of(planned), "day": "2027-03-28", "time": "03:30"}

        status, told = posted(office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", where))

        assert (status, "skips" in told["said"]) == (422, True)

    @pytest.mark.parametrize(
        "where",
        [
            {},
            {"version": ""},
            {"version": "x" * 500, "start": "1"},
            {"version": "x", "start": "-1"},
            {"version": "x", "start": "9" * 40},
            {"version": "x", "start": "nan"},
            {"version": "x", "day": "9999-12-31", "time": "25:00"},
            {"version": "x", "day": "0001-01-01", "time": "00:00"},
            {"version": "x", "day": "9999-12-31", "time": "23:59"},
            {"version": "x", "start": "1", "specialist": "0"},
            {"version": "x", "start": "1", "specialist": "9" * 40},
            {"version": "x\x00", "start": "1"},
        ],
    )
    def test_of_nonsense_is_refused_and_breaks_nothing(self, cast, planned, office, monday, where):
        answer = office(cast.mara).post(f"/admin/today/visits/{planned.pk}/move/", where)

        assert answer.status in (409, 422)
        assert again(cast, planned).started_at == monday

    def test_needs_the_pages_own_token(self, cast, planned):
        client = Client(enforce_csrf_checks=True)
        client.force_login(cast.mara.user)

        assert client.post(f"/admin/today/visits/{planned.pk}/move/", {}).status_code == 403

    def test_is_a_post(self, cast, planned, office):
        assert office(cast.mara).get(f"/admin/today/visits/{planned.pk}/move/").status == 405


class TestTheWeek:
    def test_shows_seven_days_of_one_specialist(self, cast, planned, office, monday):
        page = office(cast.mara).get("/admin/week/", specialist=cast.sara.specialist.pk, date=monday.date())

        assert page.html.count("data-column ") == 7
        assert "Ana Radu" in page.text

    def test_shows_specialists_their_own_only(self, cast, office):
        sara = office(cast.sara)

        assert "Dr. Sara Marin" in sara.get("/admin/week/").text
        assert sara.get("/admin/week/", specialist=cast.tudor.specialist.pk).status == 404

    @pytest.mark.parametrize("query", [{"specialist": "x"}, {"specialist": "9" * 40}, {"specialist": "-1"}])
    def test_of_nobody_is_not_there(self, cast, office, query):
        assert office(cast.mara).get("/admin/week/", **query).status == 404
        assert office(cast.mara).get("/admin/week/board/", **query).status == 404

    def test_is_refreshed_only_when_something_changed(self, cast, offered, office, monday):
        mara = office(cast.mara).client
        path = f"/admin/week/board/?specialist={cast.sara.specialist.pk}&date={monday.date()}"
        seen = mara.get(path).headers["ETag"]
        assert mara.get(path, headers={"if-none-match": seen}).status_code == 304

        appointment(cast.sud, cast.sara.specialist, offered, monday, "Dan Petrescu")

        assert "Dan Petrescu" in mara.get(path, headers={"if-none-match": seen}).content.decode()


@pytest.mark.parametrize("path", ["today/board/", "today/stream/", "week/", "week/board/", "today/visits/1/"])
def test_a_board_is_of_one_clinic(cast, office, path):
    assert office(cast.root).get(f"/admin/{path}").status == 404
