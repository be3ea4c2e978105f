"""The day's board: what it holds, where it puts it, and how it stays fresh."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.models import Organization
from apps.scheduling.admin import today
from apps.scheduling.admin.board import board_of
from apps.scheduling.admin.sharing import Shared
from apps.scheduling.models import Appointment, Hold
from apps.scheduling.selectors.day import Booked, Column, Day, Free, day_of
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor
from tests.admin.office import appointment, booking, hold, template
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

ADMIN = Actor(kind="user", id=1, role=Role.ADMIN)
ZONE = "Europe/Bucharest"


def clock(second: int) -> str:
    from zoneinfo import ZoneInfo

    return f"{datetime.fromtimestamp(second, ZoneInfo(ZONE)):%H:%M}"


def stretches(column: Column) -> list[tuple[str, str, str]]:
    return [(type(entry).__name__, clock(entry.start), clock(entry.end)) for entry in column.entries]


@pytest.fixture
def local_monday(monday):
    return monday.date()


class TestADay:
    def test_has_a_column_of_what_is_booked_held_and_free(self, cast, monday, local_monday):
        sara = cast.sara.specialist
        offered = template(cast.sud, sara)
        hold(cast.sud, offered, at(monday, 15))
        appointment(cast.sud, sara, offered, at(monday, 10), "Ana Radu")

        with within(cast.sud):
            day = day_of(local_monday, timezone=ZONE, actor=ADMIN)

        (column,) = [each for each in day.columns if each.specialist_id == sara.pk]
        assert stretches(column) == [
            ("Free", "09:00", "10:00"),
            ("Booked", "10:00", "10:50"),
            ("Free", "11:00", "15:00"),
            ("Held", "15:00", "15:50"),
            ("Free", "15:50", "17:00"),
        ]
        assert [held.title for held in day.holds] == ["Consultation"]

    def test_leaves_out_cancelled_visits_and_lapsed_holds(self, cast, monday, local_monday, ended):
        sara = cast.sara.specialist
        offered = template(cast.sud, sara)
        held, _token = hold(cast.sud, offered, at(monday, 15))
        visit = appointment(cast.sud, sara, offered, at(monday, 10), "Ana Radu")
        ended(held, visit)

        with within(cast.sud):
            day = day_of(local_monday, timezone=ZONE, actor=ADMIN)

        column = next(each for each in day.columns if each.specialist_id == sara.pk)
        assert stretches(column) == [("Free", "09:00", "17:00")]
        assert [entry.name for entry in column.off] == ["Ana Radu"]
        assert day.holds == []

    def test_shows_a_specialist_their_own_column_only(self, cast, monday, local_monday):
        own = Actor(kind="user", id=cast.sara.user.pk, role=Role.SPECIALIST)
        offered = template(cast.sud, cast.tudor.specialist)
        hold(cast.sud, offered, at(monday, 15))

        with within(cast.sud):
            day = day_of(local_monday, timezone=ZONE, actor=own)

        assert [column.name for column in day.columns] == ["Dr. Sara Marin"]
        assert day.holds == []

    def test_names_who_is_away(self, cast, monday):
        sunday = date.fromordinal(monday.date().toordinal() - 1)

        with within(cast.sud):
            day = day_of(sunday, timezone=ZONE, actor=ADMIN)

        assert day.columns == []
        assert set(day.away) == {"Dr. Sara Marin", "Tudor Pop"}

    def test_costs_the_same_number_of_statements_however_full_it_is(self, cast, monday, local_monday):
        offered = template(cast.sud, cast.sara.specialist)

        def statements() -> int:
            with within(cast.sud), CaptureQueriesContext(connection) as caught:
                day_of(local_monday, timezone=ZONE, actor=ADMIN)
            return len(caught)

        empty = statements()
        for hour in (10, 12, 14):
            appointment(cast.sud, cast.sara.specialist, offered, at(monday, hour), f"P{hour}")
        for number in range(3):
            profiles.specialist(cast.sud, f"More {number}", weekly=profiles.OFFICE_HOURS)
        hold(cast.sud, offered, at(monday, 15))

        assert statements() == empty == 3


@pytest.fixture
def ended(cast):
    """Ends a hold by time and an appointment by cancellation."""

    def end(held: Hold, visit: Appointment) -> None:
        from apps.scheduling.services import appointments

        with within(cast.sud):
            Hold.objects.filter(pk=held.pk).update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
            appointments.cancel(visit, by=SYSTEM, reason="Ill")

    return end


def at(monday: datetime, local_hour: int) -> datetime:
    """An hour of that Monday on Bucharest's clock."""
    from zoneinfo import ZoneInfo

    return datetime(monday.year, monday.month, monday.day, local_hour, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def day_with(*entries: Booked | Free, day: date = date(2026, 12, 7)) -> Day:
    from apps.scheduling.domain.zones import span

    start, end = span(ZONE, day, day)
    return Day(day, ZONE, start, end, [Column(1, "Sara", [], list(entries))])


def booked(start: int, end: int) -> Booked:
    return Booked(start, end, end, 1, "Visit", "Ana", "", "upcoming", "video", "")


class TestTheLayout:
    NOW = datetime(2026, 12, 7, 8, 0, tzinfo=UTC)  # 10:00 in Bucharest

    def test_opens_the_usual_day_in_steps_of_five_minutes(self):
        board = board_of(day_with(), self.NOW)

        assert (board.hours[0], board.hours[-1], board.steps) == ((0, "08:00"), (108, "17:00"), 120)
        assert board.columns[0].now_row == 24

    def test_widens_to_whole_hours_for_an_early_or_late_visit(self):
        day = day_with()
        early, late = day.start + 6 * 3600 + 1500, day.start + 20 * 3600 + 600
        board = board_of(day_with(booked(early, early + 1800), booked(late, late + 600)), self.NOW)

        assert (board.hours[0][1], board.hours[-1][1]) == ("06:00", "20:00")
        assert [(block.row, block.steps) for block in board.columns[0].blocks] == [(5, 6), (170, 2)]

    def test_rounds_outwards_what_is_off_the_grid(self):
        start = day_with().start + 9 * 3600 + 120
        (block,) = board_of(day_with(booked(start, start + 360)), self.NOW).columns[0].blocks

        assert (block.row, block.steps, block.from_text, block.to_text) == (12, 2, "09:02", "09:08")

    def test_follows_the_clock_through_the_night_it_is_put_forward(self):
        day = day_with(day=date(2027, 3, 28))
        night = booked(day.start + 2 * 3600, day.start + 4 * 3600)  # 02:00 to 05:00 on the wall
        board = board_of(day_with(night, day=date(2027, 3, 28)), self.NOW)

        assert [text for _row, text in board.hours[:3]] == ["02:00", "04:00", "05:00"]
        assert (board.columns[0].blocks[0].from_text, board.columns[0].blocks[0].to_text) == ("02:00", "05:00")

    def test_cuts_a_visit_that_runs_over_midnight(self):
        day = day_with()
        board = board_of(day_with(booked(day.end - 3600, day.end + 3600)), self.NOW)

        (block,) = board.columns[0].blocks
        assert block.row + block.steps == board.steps


class TestThePage:
    def test_shows_who_when_and_how_to_reach_them(self, cast, office, monday):
        booking(cast.sud, template(cast.sud, cast.sara.specialist), at(monday, 10))

        page = office(cast.ion).get("/admin/", date=monday.date())

        assert re.search(r"10:00 ?–10:50 Booked Maria Ionescu Consultation · \+40721000111", page.text)

    def test_offers_the_desk_to_release_a_hold_and_a_specialist_not(self, cast, office, monday):
        hold(cast.sud, template(cast.sud, cast.sara.specialist), at(monday, 10))

        assert "moves/release/" in office(cast.mara).get("/admin/", date=monday.date()).html
        assert "moves/release/" not in office(cast.sara).get("/admin/", date=monday.date()).html

    @pytest.mark.parametrize("day", ["", "tomorrow", "0001-01-01", "9999-12-31", "2026-02-30"])
    def test_takes_a_day_that_is_none_for_today(self, cast, office, day):
        assert office(cast.ion).get("/admin/", date=day).status == 200

    def test_teaches_a_new_clinic_its_first_steps(self, office, cast):
        with within(cast.sud):
            from apps.profiles.models import Specialist

            Specialist.objects.update(weekly=[], scheduling_active=False)

        page = office(cast.ion).get("/admin/")

        assert "Three steps to the first appointment" in page.text
        assert "Enter their weekly hours" in page.text

    def test_is_refreshed_only_when_something_changed(self, cast, office, monday):
        ion = office(cast.ion).client
        path = f"/admin/today/board/?date={monday.date()}"
        seen = ion.get(path).headers["ETag"]

        assert ion.get(path, headers={"if-none-match": seen}).status_code == 304
        booking(cast.sud, template(cast.sud, cast.sara.specialist), at(monday, 10))
        answer = ion.get(path, headers={"if-none-match": seen})

        assert answer.status_code == 200
        assert "Maria Ionescu" in answer.content.decode()


@pytest.mark.parametrize("page", ["appointment", "claim", "hold", "holdevent", "appointmenttemplate"])
def test_a_list_costs_the_same_number_of_statements_for_many_rows_as_for_two(page, cast, office, monday):
    ion = office(cast.ion).client
    offered = template(cast.sud, cast.sara.specialist)
    path = f"/admin/scheduling/{page}/"

    def fill(hours):
        for hour in hours:
            appointment(cast.sud, cast.sara.specialist, offered, at(monday, hour), f"Patient {hour}")
            template(cast.sud, cast.sara.specialist, name=f"T{hour}")

    def statements():
        ion.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert ion.get(path).status_code == 200
        return len(caught)

    hold(cast.sud, offered, at(monday, 16))
    fill((9, 10))
    few = statements()
    fill((11, 12, 13, 14, 15))

    assert statements() == few


def test_members_and_specialists_cost_the_same_for_many_as_for_few(cast, office):
    ion = office(cast.ion).client
    paths = ["/admin/organizations/membership/", "/admin/profiles/specialist/", "/admin/hours/"]

    def statements():
        counts = []
        for path in paths:
            ion.get(path)
            with CaptureQueriesContext(connection) as caught:
                assert ion.get(path).status_code == 200
            counts.append(len(caught))
        return counts

    few = statements()
    for number in range(5):
        profiles.specialist(cast.sud, f"More {number}", weekly=profiles.OFFICE_HOURS)

    assert statements() == few
    assert Organization.objects.count() == 2


class TestManyBoardsAtOnce:
    def test_share_one_rendering(self, cast, office, monday, monkeypatch):
        rendered = []
        monkeypatch.setattr(today, "SHARED", Shared())
        render = today.render_to_string
        monkeypatch.setattr(today, "render_to_string", lambda *args: rendered.append(args) or render(*args))
        booking(cast.sud, template(cast.sud, cast.sara.specialist), at(monday, 10))
        path = f"/admin/today/board/?date={monday.date()}"

        pages = [office(person).client.get(path).content for person in (cast.ion, cast.mara, cast.ion)]

        assert len(set(pages)) == len(rendered) == 1

    def test_share_nothing_that_the_other_may_not_see_or_cannot_read(self, cast, office, monday, monkeypatch):
        monkeypatch.setattr(today, "SHARED", Shared())
        for person in (cast.sara, cast.tudor):
            booking(cast.sud, template(cast.sud, person.specialist), at(monday, 10), f"Of {person.specialist.name}")
        path = f"/admin/today/board/?date={monday.date()}"

        whole = office(cast.ion).client.get(path).content.decode()
        own = office(cast.sara).client.get(path).content.decode()
        romanian = office(cast.ion, language="ro").client.get(path).content.decode()
        elsewhere = office(cast.nora).client.get(path).content.decode()

        assert ("Of Tudor Pop" in whole, "Of Tudor Pop" in own, "Of Sara Marin" in own) == (True, False, True)
        assert "Legenda" in romanian or "programări" in romanian
        assert "Of " not in elsewhere
