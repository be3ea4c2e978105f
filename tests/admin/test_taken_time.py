"""The lists of taken time, column by column. Source: contract/scheduling.md 5."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.scheduling.api import watchers
from apps.scheduling.models import Appointment, Hold
from apps.scheduling.services import feeds
from tests.admin.office import appointment, hold, template
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

LISTS = {
    "appointment": ["start", "title", "specialist", "who", "state", "mode", "room_state"],
    "appointmenttemplate": ["named", "duration", "gap", "is_public", "is_active", "offered_by", "price_text"],
    "hold": ["template", "specialist", "start", "shown_status", "expires_at", "streams"],
    "claim": ["specialist", "period", "owner"],
    "holdevent": ["hold_id", "type", "at"],
    "calendarfeed": ["specialist", "created_at", "last_used_at"],
}


@pytest.fixture
def fill(cast, monday):
    """Rows for every list: `fill(9, 10)` takes these hours of Monday for a hold each, and of another for a visit."""
    offered = template(cast.sud, cast.sara.specialist)

    def fill_hours(*hours: int) -> None:
        for hour in hours:
            hold(cast.sud, offered, monday.replace(hour=hour))
            someone = profiles.specialist(cast.sud, f"Specialist {hour}")
            with within(cast.sud):
                feeds.issue(someone, by=SYSTEM)
            offer = template(cast.sud, someone, name=f"Service {hour}")
            visit = appointment(cast.sud, someone, offer, monday.replace(hour=hour), f"Patient {hour}")
            with within(cast.sud):
                Appointment.objects.filter(pk=visit.pk).update(mode="video", room_status="failed")

    return fill_hours


@pytest.mark.parametrize(("name", "columns"), LISTS.items())
def test_a_list_has_its_columns_and_costs_the_same_for_many_rows_as_for_two(name, columns, cast, office, fill):
    ion, path = office(cast.ion), f"/admin/scheduling/{name}/"

    def statements() -> int:
        ion.client.get(path)
        with CaptureQueriesContext(connection) as caught:
            assert ion.client.get(path).status_code == 200
        return len(caught)

    fill(8, 9)
    few = statements()
    page = ion.get(path)
    fill(10, 11, 12, 13)

    assert re.findall(r'class="[^"]*\bcolumn-(\w+)', page.html) == columns
    assert statements() == few


class TestHolds:
    def test_tell_how_many_pages_watch_them_now(self, cast, office, fill, monkeypatch):
        fill(8, 9)
        with within(cast.sud):
            first, second = Hold.objects.order_by("pk")
        monkeypatch.setattr(watchers, "counted", lambda keys: {key: 2 if key == first.pk else 0 for key in keys})

        page = office(cast.ion).get("/admin/scheduling/hold/")

        # the newest is above
        assert re.findall(r'<td class="field-streams">([^<]*)</td>', page.html) == ["0", "2"]
        assert second.pk > first.pk

    def test_say_nothing_of_streams_while_the_shared_cache_is_down(self, cast, office, fill, monkeypatch):
        fill(8)
        monkeypatch.setattr(watchers, "counted", lambda _keys: {})

        page = office(cast.ion).get("/admin/scheduling/hold/")

        assert re.findall(r'<td class="field-streams">([^<]*)</td>', page.html) == ["–"]

    @pytest.mark.parametrize(("status", "count"), [("live", 1), ("expired", 1), ("booked", 0), ("released", 0)])
    def test_are_narrowed_by_the_status_that_everybody_is_shown(self, status, count, cast, office, fill):
        fill(8, 9)
        with within(cast.sud):
            lapsed = Hold.objects.earliest("pk")
            Hold.objects.filter(pk=lapsed.pk).update(expires_at=lapsed.created_at)

        page = office(cast.ion).get("/admin/scheduling/hold/", status=status)

        assert len(re.findall(r'<td class="field-streams">', page.html)) == count

    def test_one_is_let_go(self, cast, office, fill):
        fill(8)
        with within(cast.sud):
            held = Hold.objects.get()

        page = office(cast.mara).post(f"/admin/scheduling/hold/moves/release/?ids={held.pk}")

        assert page.messages == ["success: Release: done."]
        with within(cast.sud):
            assert Hold.objects.get().status == "released"


class TestClaims:
    def test_show_the_gap_too_and_lead_to_their_owner(self, cast, office, fill, monday):
        fill(8)
        with within(cast.sud):
            visit = Appointment.objects.get()

        page = office(cast.ion).get("/admin/scheduling/claim/", kind="appointment")

        assert "10:00–11:00" in page.text or "11:00–12:00" in page.text  # fifty minutes and a gap of ten
        assert f'href="/admin/scheduling/appointment/{visit.pk}/change/"' in page.html
        assert len(re.findall(r'<td class="field-owner">', page.html)) == 1

    @pytest.mark.parametrize("page", ["claim", "holdevent", "hold"])
    def test_and_the_trail_are_only_read(self, page, cast, office, fill):
        fill(8)
        ion = office(cast.ion)

        assert ion.get(f"/admin/scheduling/{page}/add/").status == 403
        assert 'name="_save"' not in ion.get(f"/admin/scheduling/{page}/").html


def test_a_failed_room_is_seen_in_the_list_of_appointments(cast, office, fill):
    fill(8)

    page = office(cast.ion).get("/admin/scheduling/appointment/", room_status__exact="failed")

    assert re.search(r'<td class="field-room_state">.*?failed', page.html, re.DOTALL | re.IGNORECASE)
