"""The editor of working hours: one document, saved as a whole, tried without saving."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.utils.translation import override

from apps.organizations.models import AuditEntry
from apps.profiles.models import Specialist
from apps.scheduling.admin.hours import weekly_text
from tests.admin.office import template
from tests.make.organizations import within


def document(*, weekly=(), overrides=(), **basics):
    """What the page posts."""
    data = {"timezone": "Europe/Bucharest", "active": "on", "shown_in": "Europe/Bucharest", **basics}
    for prefix, rows in (("weekly", weekly), ("overrides", overrides)):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for index, row in enumerate(rows):
            data |= {f"{prefix}-{index}-{name}": value for name, value in row.items()}
    return data


@pytest.fixture
def sara(cast):
    return cast.sara.specialist


@pytest.fixture
def path(sara):
    return f"/admin/hours/{sara.pk}/"


def stored(cast, sara):
    with within(cast.sud):
        return Specialist.objects.get(pk=sara.pk)


MONDAY = {"day": "0", "start": "10:00", "end": "14:00"}
NIGHT = {"day": "4", "start": "22:00", "end": "06:00"}
AWAY = {"availability": "False", "start": "2030-07-01T00:00", "end": "2030-07-02T00:00", "note": "Holiday"}


class TestSaving:
    def test_replaces_the_document_on_the_specialists_clock(self, cast, office, sara, path):
        page = office(cast.ion).post(path, document(weekly=[NIGHT, MONDAY], overrides=[AWAY]))

        assert page.messages == ["success: The hours of Dr. Sara Marin were saved."]
        saved = stored(cast, sara)
        assert saved.weekly == [
            {"day": 0, "start": "10:00", "end": "14:00"},
            {"day": 4, "start": "22:00", "end": "06:00"},
        ]
        (away,) = saved.overrides
        assert (away["start"], away["end"], away["note"]) == ("2030-06-30T21:00:00Z", "2030-07-01T21:00:00Z", "Holiday")

    def test_leaves_one_audit_row(self, cast, office, sara, path):
        with within(cast.sud):
            before = AuditEntry.objects.filter(entity_type="specialist").count()

        office(cast.ion).post(path, document(weekly=[MONDAY]))

        with within(cast.sud):
            assert AuditEntry.objects.filter(entity_type="specialist").count() == before + 1

    def test_keeps_the_identity_of_an_exception(self, cast, office, sara, path):
        ion = office(cast.ion)
        ion.post(path, document(overrides=[AWAY]))
        known = stored(cast, sara).overrides[0]["id"]

        ion.post(path, document(overrides=[{**AWAY, "id": known, "note": "Conference"}]))

        assert [(each["id"], each["note"]) for each in stored(cast, sara).overrides] == [(known, "Conference")]

    def test_drops_rows_that_were_removed_or_left_empty(self, cast, office, sara, path):
        rows = [MONDAY, {**NIGHT, "DELETE": "on"}]

        office(cast.ion).post(path, document(weekly=rows))

        assert [block["day"] for block in stored(cast, sara).weekly] == [0]

    def test_shows_overlapping_blocks_at_their_row_and_saves_nothing(self, cast, office, sara, path):
        before = stored(cast, sara).weekly

        page = office(cast.ion).post(path, document(weekly=[MONDAY, {**MONDAY, "start": "13:00", "end": "15:00"}]))

        assert page.text.count("Overlaps another block.") == 1
        assert page.messages == []
        assert stored(cast, sara).weekly == before

    def test_without_a_zone_cannot_be_active(self, cast, office, path):
        assert "a time zone is needed to be active" in office(cast.ion).post(path, document(timezone="")).text

    def test_on_hours_that_changed_meanwhile_saves_nothing(self, cast, office, sara, path):
        ion = office(cast.ion)
        stale = ion.get(path).value("version")
        ion.post(path, document(weekly=[MONDAY]))

        page = ion.post(path, document(weekly=[NIGHT], version=stale))

        assert "Somebody changed this while you had it open." in page.text
        assert [block["day"] for block in stored(cast, sara).weekly] == [0]

    @pytest.mark.parametrize("hour", ["25:00", "24:00", "noon", ""])
    def test_refuses_what_is_no_time(self, cast, office, path, hour):
        page = office(cast.ion).post(path, document(weekly=[{**MONDAY, "start": hour}]))

        assert page.status == 200
        assert page.messages == []


class TestAPreview:
    def test_shows_the_coming_week_and_saves_nothing(self, cast, office, sara, path):
        template(cast.sud, sara, duration_minutes=60, gap_minutes=0)
        before = stored(cast, sara).weekly
        always = [{"day": str(day), "start": "00:00", "end": "00:00"} for day in range(7)]

        page = office(cast.ion).post(path, document(weekly=always, _preview="1"))

        assert "Seven days, as they would be" in page.text
        assert page.text.count("24 free") >= 5
        assert stored(cast, sara).weekly == before

    def test_looks_ahead_to_the_weeks_that_it_offers(self, cast, office, sara, path):
        template(cast.sud, sara, duration_minutes=60, gap_minutes=0)
        with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False):
            page = office(cast.ion).post(f"{path}?from=2027-03-08", document(weekly=[MONDAY], _preview="1"))

            assert "8 Mar" in page.text
            assert "4 free" in page.text
            assert page.html.count('aria-current="true"') == 1
            assert 'formaction="?from=2027-03-22#coming"' in page.html
            assert 'formaction="?from=2027-10-28#coming"' in page.html  # the clock is put back on 31 October
            assert 'formaction="?from=2027-04-08#coming"' not in page.html

    @pytest.mark.parametrize(
        ("today", "first", "told", "hours"),
        [
            (datetime(2027, 3, 1, 9, tzinfo=UTC), "2027-03-22", "clock put forward", "23 free"),
            (datetime(2027, 3, 1, 9, tzinfo=UTC), "2027-10-28", "clock put back", "25 free"),
        ],
    )
    def test_shows_what_a_clock_change_does(self, cast, office, sara, path, today, first, told, hours):
        template(cast.sud, sara, duration_minutes=60, gap_minutes=0)
        always = [{"day": str(day), "start": "00:00", "end": "00:00"} for day in range(7)]
        with time_machine.travel(today, tick=False):
            page = office(cast.ion).post(f"{path}?from={first}", document(weekly=always, _preview="1"))

        assert told in page.text
        assert hours in page.text
        assert "The clock changes in this week." in page.text

    def test_shows_an_hour_that_is_repeated_with_its_distance_from_utc(self, cast, office, sara, path):
        template(cast.sud, sara, duration_minutes=60, gap_minutes=0)
        small = [{"day": "6", "start": "03:00", "end": "04:00"}]
        with time_machine.travel(datetime(2027, 3, 1, 9, tzinfo=UTC), tick=False):
            page = office(cast.ion).post(f"{path}?from=2027-10-28", document(weekly=small, _preview="1"))

        assert "03:00 (UTC+3) 03:00 (UTC+2)" in page.text

    @pytest.mark.parametrize("asked", ["2026-01-01", "x", "9999-12-31", ""])
    def test_of_a_week_that_is_not_offered_is_the_present_one(self, cast, office, path, asked):
        page = office(cast.ion).get(f"{path}?from={asked}")

        assert page.status == 200
        assert "Seven days" in page.text


class TestPermission:
    def test_specialists_write_their_own_hours_and_read_others(self, cast, office, path):
        sara = office(cast.sara)
        tudor = f"/admin/hours/{cast.tudor.specialist.pk}/"

        assert sara.post(path, document(weekly=[MONDAY])).messages[0].startswith("success")
        assert 'name="_save"' not in sara.get(tudor).html
        assert sara.post(tudor, document(weekly=[MONDAY])).status == 403

    def test_the_desk_reads(self, cast, office, path):
        assert office(cast.mara).get(path).status == 200
        assert office(cast.mara).post(path, document()).status == 403

    def test_another_clinics_specialist_is_not_found(self, cast, office):
        assert office(cast.ion).get(f"/admin/hours/{cast.sorin.specialist.pk}/").status == 404


def test_neighbouring_days_with_equal_hours_stand_together():
    weekly = [{"day": day, "start": "09:00", "end": "17:00"} for day in (0, 1, 2, 4)]

    with override("ro"):
        assert [days for days, _times in weekly_text(weekly)] == ["lun.–mie.", "vin."]
