"""My day: who comes next, what is known of them, and the day on paper."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.scheduling.admin import briefs
from apps.scheduling.admin.briefs import Brief
from apps.scheduling.admin.my_day import parts_of
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.agenda import Visit
from apps.scheduling.services import appointments
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor
from tests.admin.office import appointment, booking, template
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

NINE = datetime(2026, 12, 7, 7, 0, tzinfo=UTC)  # on Bucharest's clock


def visit(hour: int, status: str = "upcoming") -> Visit:
    start = NINE + timedelta(hours=hour - 9)
    row = SimpleNamespace(started_at=start, ended_at=start + timedelta(minutes=50), status=status)
    return Visit(cast("Any", row), f"{hour}", "")


def names(visits) -> list[str]:
    return [each.name for each in visits]


class TestTheOrder:
    def test_begins_with_who_comes_next(self):
        parts = parts_of([visit(9, "done"), visit(10), visit(11), visit(12, "cancelled")], NINE + timedelta(minutes=55))

        assert (parts.first.name, names(parts.coming), names(parts.past), names(parts.off)) == (
            "10",
            ["11"],
            ["9"],
            ["12"],
        )

    def test_begins_with_who_is_being_treated_even_if_the_time_is_over(self):
        parts = parts_of([visit(9, "inprogress"), visit(10)], NINE + timedelta(minutes=70))

        assert (parts.first.name, names(parts.coming)) == ("9", ["10"])

    def test_keeps_a_visit_that_is_late_in_first_place_until_its_end(self):
        parts = parts_of([visit(9, "confirmed"), visit(10)], NINE + timedelta(minutes=49))

        assert parts.first.name == "9"

    def test_leaves_what_nobody_closed_among_those_that_are_over(self):
        parts = parts_of([visit(9, "confirmed"), visit(10)], NINE + timedelta(minutes=51))

        assert (parts.first.name, names(parts.past)) == ("10", ["9"])

    def test_puts_nobody_first_on_another_day(self):
        parts = parts_of([visit(9), visit(10)], NINE - timedelta(days=2))

        assert (parts.first, names(parts.coming)) == (None, ["9", "10"])


@pytest.fixture
def day(monday):
    """A Monday before which there is another one."""
    return monday + timedelta(days=7)


@pytest.fixture
def full(cast, day):
    """Sara's Monday, with Ana who was there before and Maria who is no patient yet; Tudor has somebody too."""
    sara, tudor = cast.sara.specialist, cast.tudor.specialist
    offered, other = template(cast.sud, sara), template(cast.sud, tudor, name="Other")
    before = appointment(cast.sud, sara, offered, day - timedelta(days=7), cast.ana.patient)
    with within(cast.sud):
        Appointment.objects.filter(pk=before.pk).update(notes="Knee bends to 90 degrees")
        Appointment.objects.filter(pk=before.pk).update(status="inprogress")
        herself = Actor(kind="user", id=cast.sara.user.pk).within(cast.sud.pk, Role.SPECIALIST)
        appointments.change_status(Appointment.objects.get(pk=before.pk), to=AppointmentStatus.DONE, by=herself)
    coming = appointment(cast.sud, sara, offered, day.replace(hour=10), cast.ana.patient)
    with within(cast.sud):
        Appointment.objects.filter(pk=coming.pk).update(notes="Bring the scan", patient_notes="It hurts on stairs")
    booking(cast.sud, offered, day.replace(hour=12), "Maria Ionescu")
    appointment(cast.sud, tudor, other, day.replace(hour=10), "Not Mine")
    return coming


class TestThePage:
    def test_tells_what_is_known_of_each_patient(self, full, cast, office, day):
        page = office(cast.sara).get("/admin/my-day/", date=day.date())

        assert page.status == 200
        for told in ("Ana Pop", "Knee bends to 90 degrees", "Bring the scan", "It hurts on stairs", "Maria Ionescu"):
            assert told in page.text
        assert "not taken in yet" in page.text
        assert "Not Mine" not in page.text
        assert f'href="/admin/patients/{cast.ana.patient.pk}/"' in page.html
        assert 'href="tel:+40721000111"' in page.html

    def test_is_where_specialists_arrive_and_the_board_is_where_it_was(self, full, cast, office, day):
        sara = office(cast.sara)

        assert sara.client.get("/admin/").headers["Location"] == "/admin/my-day/"
        assert "Dr. Sara Marin" in sara.get("/admin/", date=day.date()).text
        assert sara.get("/admin/today/").status == 200
        assert office(cast.ion).client.get("/admin/").status_code == 200

    def test_tells_an_admin_who_treats_nobody_so(self, cast, office):
        assert "You are not one of the clinic" in office(cast.ion).get("/admin/my-day/").text

    def test_sends_a_superadmin_who_looks_at_all_clinics_to_the_choice_of_one(self, cast, office):
        for path in ("/admin/my-day/", "/admin/today/", "/admin/today/print/"):
            assert office(cast.root).client.get(path).headers["Location"] == "/admin/"

    @pytest.mark.parametrize("asked", ["", "yesterday", "0001-01-01", "9999-12-31", "2026-13-40", "2026-12-07' OR 1=1"])
    def test_takes_any_date(self, asked, cast, office):
        for path in ("/admin/my-day/", "/admin/today/print/"):
            assert office(cast.sara).get(path, date=asked, specialist=asked).status == 200

    def test_costs_the_same_number_of_statements_for_many_visits_as_for_two(self, full, cast, office, day):
        sara = office(cast.sara).client

        def statements() -> list[int]:
            counts = []
            for path in ("/admin/my-day/", "/admin/today/print/"):
                with CaptureQueriesContext(connection) as caught:
                    assert sara.get(path, {"date": day.date().isoformat(), "notes": 1}).status_code == 200
                counts.append(len(caught))
            return counts

        statements()
        few = statements()
        offered = template(cast.sud, cast.sara.specialist, name="More")
        for hour in (8, 9, 11, 13, 14):
            appointment(cast.sud, cast.sara.specialist, offered, day.replace(hour=hour), f"Patient {hour}")

        assert statements() == few
        assert max(few) <= 20

    def test_lets_other_parts_tell_what_they_know(self, full, cast, office, day, monkeypatch):
        monkeypatch.setattr(briefs, "_sources", dict(briefs._sources))
        briefs.add(
            "plan",
            lambda _request, visits: {
                visits[0].appointment.pk: [Brief("Plan", "4 of 6 sessions", "/x/", is_grave=True)]
            },
        )

        page = office(cast.sara).get("/admin/my-day/", date=day.date())

        assert '<a href="/x/">4 of 6 sessions</a>' in page.html

    def test_tells_how_far_the_forms_are(self, full, cast, office, day, monkeypatch):
        from apps.scheduling.services import paperwork

        class Kept(paperwork.NoPaperwork):
            def of(self, appointments, *, seen_by):
                return {row.pk: [{"status": "completed"}, {"status": "pending"}] for row in appointments}

        monkeypatch.setattr(paperwork, "_keepers", [Kept()])

        assert "1 of 2 filled in" in office(cast.sara).get("/admin/my-day/", date=day.date()).text


class TestThePaper:
    def test_lists_everybodys_day_with_phones(self, full, cast, office, day):
        page = office(cast.mara).get("/admin/today/print/", date=day.date())

        assert re.findall(r'<div class="paper">.*?<h2[^>]*>([^<]+?) <', page.html, re.DOTALL) == [
            "Dr. Sara Marin",
            "Tudor Pop",
        ]
        assert "+40721000111" in page.text
        assert "Bring the scan" not in page.text

    def test_shows_notes_only_where_they_are_asked_for(self, full, cast, office, day):
        asked = {"date": day.date(), "notes": "1", "specialist": cast.sara.specialist.pk}

        page = office(cast.mara).get("/admin/today/print/", **asked)

        assert "Bring the scan" in page.text
        assert "Not Mine" not in page.text

    def test_shows_specialists_their_own(self, full, cast, office, day):
        asked = {"date": day.date(), "specialist": cast.tudor.specialist.pk}

        page = office(cast.sara).get("/admin/today/print/", **asked)

        assert "Ana Pop" in page.text
        assert "Not Mine" not in page.text

    def test_keeps_the_phone_on_file_behind_the_gate(self, cast, office, day):
        sharing = profiles.patient(cast.sud, "Open Radu", phone="+40722000222")
        profiles.consent(sharing, "profile_sharing")
        closed = profiles.patient(cast.sud, "Closed Radu", phone="+40722000333")
        offered = template(cast.sud, cast.sara.specialist)
        appointment(cast.sud, cast.sara.specialist, offered, day.replace(hour=10), sharing)
        appointment(cast.sud, cast.sara.specialist, offered, day.replace(hour=11), closed)

        text = office(cast.mara).get("/admin/today/print/", date=day.date()).text

        assert "+40722000222" in text
        assert "+40722000333" not in text

    def test_leaves_out_what_does_not_take_place(self, full, cast, office, day):
        with within(cast.sud):
            appointments.cancel(full, by=SYSTEM, reason="Ill")

        page = office(cast.sara).get("/admin/today/print/", date=day.date())

        assert "Ana Pop" not in page.text
        assert "1 cancelled or missed visit is left out." in page.text
