"""Trays: what waits for somebody, and that the list behind each shows exactly what it counts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.scheduling.admin import trays
from apps.scheduling.admin.trays import Tray, trays_of
from apps.scheduling.models import Appointment, Claim, Hold
from restartix.kernel.admin.entry import Entry, Workplace
from restartix.kernel.roles import ADMINS, Role
from restartix.kernel.tenancy import Actor
from tests.admin.office import appointment, booking, hold, moment, template
from tests.make.organizations import within


def entry_as(person, clinic, role: Role) -> Entry:
    place = Workplace(clinic.pk, clinic.name, clinic.slug, clinic.timezone, role)
    return Entry(Actor(kind="user", id=person.user.pk).within(clinic.pk, role), [place], place)


@pytest.fixture
def counted(cast):
    """The trays by name, as an admin of the clinic or somebody else sees them."""

    def of(person=None, role=Role.ADMIN) -> dict[str, Tray]:
        with within(cast.sud), timezone.override(cast.sud.timezone):
            found = trays_of(RequestFactory().get("/"), entry_as(person or cast.ion, cast.sud, role))
        return {tray.name: tray for tray in found}

    return of


@pytest.fixture
def busy(cast, monday):
    """Something in every tray, and something beside each that belongs in none."""
    sara, tudor = cast.sara.specialist, cast.tudor.specialist
    offered = template(cast.sud, sara, tudor)
    booking(cast.sud, offered, monday)
    soon = appointment(cast.sud, sara, offered, monday.replace(hour=10))
    appointment(cast.sud, tudor, offered, moment(10, days=20), "Far Away")
    failed = appointment(cast.sud, tudor, offered, monday.replace(hour=11), "Without Room")
    over = appointment(cast.sud, tudor, offered, monday.replace(hour=12), "Long Over")
    held, _token = hold(cast.sud, offered, monday.replace(hour=13))
    lapsed, _token = hold(cast.sud, offered, monday.replace(hour=14))
    with within(cast.sud):
        Appointment.objects.filter(pk__in=[failed.pk, over.pk]).update(room_status="failed", status="confirmed")
        past = datetime.now(UTC) - timedelta(days=3)
        Appointment.objects.filter(pk=over.pk).update(started_at=past, ended_at=past + timedelta(minutes=50))
        Claim.objects.filter(appointment=over).update(starts_at=past, ends_at=past + timedelta(minutes=50))
        Hold.objects.filter(pk=lapsed.pk).update(expires_at=past)
    return soon, held


def test_count_what_waits(busy, counted):
    found = counted()

    assert {name: found[name].count for name in ("to_take_in", "to_confirm", "rooms_failed", "holds")} == {
        "to_take_in": 1,
        "to_confirm": 1,
        "rooms_failed": 1,
        "holds": 1,
    }


def test_show_a_specialist_their_own(busy, counted, cast):
    own = counted(cast.sara, Role.SPECIALIST)

    assert (own["to_confirm"].count, own["rooms_failed"].count) == (1, 0)
    assert own["holds"].url == ""
    assert [held.may_release for held in own["holds"].holds] == [False] * own["holds"].count


@pytest.mark.parametrize("name", ["to_take_in", "to_confirm", "rooms_failed", "holds"])
def test_open_the_list_that_shows_exactly_what_they_count(name, busy, counted, cast, office):
    tray = counted()[name]

    page = office(cast.ion).get(tray.url)

    assert page.status == 200
    assert len(re.findall(r'<input[^>]+name="_selected_action"', page.html)) == tray.count == 1


def test_cost_the_same_number_of_statements_however_much_waits(counted, cast, monday):
    offered = template(cast.sud, cast.sara.specialist)

    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            counted()
        return len(caught)

    empty = statements()
    for hour in (8, 9, 10, 11):
        booking(cast.sud, offered, monday.replace(hour=hour))
    for hour in (12, 13):
        hold(cast.sud, offered, monday.replace(hour=hour))

    assert statements() == empty


def test_other_parts_add_trays_of_their_own_for_roles_of_their_own(counted, cast, monkeypatch):
    monkeypatch.setattr(trays, "_sources", dict(trays._sources))
    trays.add("unsigned", lambda _request, _entry: [Tray("unsigned", "Unsigned", 4, "/x/", "i-info")], may=ADMINS)

    assert counted()["unsigned"].count == 4
    assert "unsigned" not in counted(cast.mara, Role.CUSTOMER_SUPPORT)


def test_are_read_aloud_and_lead_on(busy, counted):
    html = render_to_string("admin/scheduling/trays.html", {"trays": list(counted().values()), "back": "/admin/"})

    assert html.count("<a class") == 4
    assert "formaction=" in html
    assert "next=%2Fadmin%2F" in html
    assert "data-seconds" in html


def test_say_nothing_of_time_that_merely_passes(busy, counted):
    """The board's ETag is made of what the trays are: seconds that tick in the browser are no change."""
    first, later = (repr(counted()["holds"]) for _again in range(2))

    assert first == later
    assert "seconds_left" not in first
