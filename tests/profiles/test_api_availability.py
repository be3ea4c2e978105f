"""A specialist's hours over the API, one document that is replaced as a whole."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.organizations.models import AuditEntry
from apps.profiles.services import availability
from restartix.kernel import clock
from tests.make import organizations as make

EMPTY = {"timezone": "Europe/Bucharest", "active": True, "weekly": [], "overrides": []}
TEMPLATE = 12


def one(person):
    return f"/v1/specialists/{person.specialist.pk}/availability"


def block(day, start, end):
    return {"day": day, "start": start, "end": end}


def override(start="2027-05-03T09:00:00Z", end="2027-05-03T12:00:00Z", **more):
    return {"start": start, "end": end, "availability": True, **more}


def soon(days):
    return (clock.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:00Z")


@pytest.fixture
def ion(cast, api):
    return api(cast.ion)


@pytest.fixture
def _template_12(monkeypatch):
    monkeypatch.setattr(availability, "_known_templates", [lambda ids: set(ids) & {TEMPLATE}])


class TestWeeklyHours:
    @pytest.mark.parametrize(
        "weekly",
        [
            [block(0, "09:00", "12:00"), block(0, "12:00", "15:00")],
            [block(6, "00:00", "00:00"), block(0, "00:00", "08:00")],
            [block(5, "22:00", "06:00")],
            [],
        ],
    )
    def test_may_touch_and_run_over_midnight(self, cast, ion, weekly):
        assert ion.put(one(cast.sara), {**EMPTY, "weekly": weekly}).status == 200

    @pytest.mark.parametrize(
        ("weekly", "field"),
        [
            ([block(0, "09:00", "12:00"), block(0, "11:59", "15:00")], "weekly[1]"),
            ([block(6, "22:00", "02:00"), block(0, "01:00", "03:00")], "weekly[1]"),
            ([block(0, "24:00", "03:00")], "weekly[0].start"),
            ([block(0, "09:00", "24:00")], "weekly[0].end"),
            ([block(0, "9:00", "12:00")], "weekly[0].start"),
            ([block(7, "09:00", "12:00")], "weekly[0].day"),
            ([block(True, "09:00", "12:00")], "weekly[0].day"),
            ([{**block(0, "09:00", "12:00"), "zone": "x"}], "weekly[0].zone"),
            ([block(0, "09:00", "09:01")] * 51, "weekly"),
            (None, "weekly"),
        ],
    )
    def test_are_refused_by_the_path_of_what_is_wrong(self, cast, ion, weekly, field):
        assert list(ion.put(one(cast.sara), {**EMPTY, "weekly": weekly}).fields) == [field]

    def test_say_which_blocks_overlap(self, cast, ion):
        weekly = [block(0, "09:00", "12:00"), block(0, "11:59", "15:00")]

        assert ion.put(one(cast.sara), {**EMPTY, "weekly": weekly}).fields == {"weekly[1]": ["overlaps weekly[0]"]}

    def test_come_back_by_day_and_start(self, cast, ion):
        weekly = [block(5, "22:00", "06:00"), block(0, "13:00", "17:00"), block(0, "09:00", "12:00")]

        assert ion.put(one(cast.sara), {**EMPTY, "weekly": weekly}).data["weekly"] == [weekly[2], weekly[1], weekly[0]]


class TestTheDocument:
    @pytest.mark.parametrize("missing", ["timezone", "active", "weekly", "overrides"])
    def test_is_sent_whole(self, cast, ion, missing):
        body = {key: value for key, value in EMPTY.items() if key != missing}

        assert ion.put(one(cast.sara), body).fields == {missing: ["required"]}

    def test_needs_a_zone_that_exists_and_one_to_be_active(self, cast, ion):
        assert list(ion.put(one(cast.sara), {**EMPTY, "timezone": "Europe/Bukarest"}).fields) == ["timezone"]
        assert list(ion.put(one(cast.sara), {**EMPTY, "timezone": None}).fields) == ["timezone"]
        assert ion.put(one(cast.sara), {**EMPTY, "timezone": None, "active": False}).data["timezone"] is None

    def test_shares_zone_and_activity_with_the_profile(self, cast, ion):
        ion.put(one(cast.sara), {**EMPTY, "timezone": "Europe/Vienna", "active": False})

        profile = ion.get(f"/v1/specialists/{cast.sara.specialist.pk}").data

        assert (profile["scheduling_timezone"], profile["scheduling_active"]) == ("Europe/Vienna", False)

    def test_put_back_as_it_was_read_changes_nothing(self, cast, ion):
        sent = {**EMPTY, "overrides": [override(note="short day"), override(availability=False)]}
        first = ion.put(one(cast.sara), sent).data
        read = ion.get(one(cast.sara)).data

        body = {key: read[key] for key in EMPTY}
        assert ion.put(one(cast.sara), read).data == read
        again = ion.put(one(cast.sara), body)

        assert again.status == 200
        assert again.data == read == first
        assert {each["id"] for each in first["overrides"]} == {each["id"] for each in again.data["overrides"]}

    def test_keeps_the_ids_of_what_stays_and_drops_what_is_left_out(self, cast, ion):
        first, second = ion.put(one(cast.sara), {**EMPTY, "overrides": [override(), override(note="b")]}).data[
            "overrides"
        ]

        moved = {**second, "start": "2027-05-02T09:00:00Z"}
        kept = ion.put(one(cast.sara), {**EMPTY, "overrides": [moved, override(note="new")]}).data["overrides"]

        assert kept[0]["id"] == second["id"]
        assert [each["note"] for each in kept] == ["b", "new"]
        assert first["id"] not in {each["id"] for each in kept}

    def test_is_guarded_by_the_version_that_was_read(self, cast, ion):
        etag = ion.get(one(cast.sara)).headers["ETag"]
        ion.put(one(cast.sara), {**EMPTY, "overrides": [override()]}, If_Match=etag)

        late = ion.put(one(cast.sara), EMPTY, If_Match=etag)

        assert late.status == 412
        assert len(ion.get(one(cast.sara)).data["overrides"]) == 1

    def test_leaves_one_audit_row_with_both_documents(self, cast, ion):
        ion.put(one(cast.sara), {**EMPTY, "weekly": [block(0, "09:00", "12:00")], "overrides": [override()]})

        with make.within(cast.sud):
            entries = AuditEntry.objects.filter(entity_type="specialist", entity_id=str(cast.sara.specialist.pk))
            latest, count = entries.latest("id"), entries.filter(actor_id=str(cast.ion.user.pk)).count()
        assert count == 1
        assert latest.changes["weekly"]["new"] == [block(0, "09:00", "12:00")]
        assert len(latest.changes["weekly"]["old"]) == 5
        assert latest.changes["overrides"]["old"] == []

    def test_by_another_specialist_or_the_desk_is_refused(self, cast, api):
        assert api(cast.sara).put(one(cast.sara), EMPTY).status == 200
        assert api(cast.sara).put(one(cast.tudor), EMPTY).status == 403
        assert api(cast.mara).put(one(cast.sara), EMPTY).status == 403
        assert api(cast.ana).put(one(cast.sara), EMPTY).status == 403
        assert api(cast.ion).put(one(cast.sorin), EMPTY).status == 404

    def test_is_read_by_staff(self, cast, api):
        for person in (cast.ion, cast.mara, cast.sara):
            assert set(api(person).get(one(cast.tudor)).data) == {*EMPTY, "updated_at"}
        assert api(cast.ana).get(one(cast.tudor)).status == 403
        assert api(cast.ion).get(one(cast.sorin)).status == 404

    def test_of_a_deleted_specialist_stays_as_it_is(self, cast, ion):
        ion.delete(f"/v1/specialists/{cast.sara.specialist.pk}")

        assert ion.get(one(cast.sara)).status == 200
        assert ion.put(one(cast.sara), EMPTY).status == 409


class TestOverrides:
    def test_are_shown_in_utc_and_in_order(self, cast, ion):
        late = override("2027-05-04T12:00:00+03:00", "2027-05-04T15:00:00+03:00", availability=False)
        shown = ion.put(one(cast.sara), {**EMPTY, "overrides": [late, override()]}).data["overrides"]

        assert [each["start"] for each in shown] == ["2027-05-03T09:00:00Z", "2027-05-04T09:00:00Z"]
        assert shown[1] == {
            "id": shown[1]["id"],
            "start": "2027-05-04T09:00:00Z",
            "end": "2027-05-04T12:00:00Z",
            "availability": False,
            "appointment_template_id": None,
            "note": None,
        }

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            (override(end="2027-05-03T09:00:00Z"), "overrides[0].end"),
            (override(end="2028-05-04T09:01:00Z"), "overrides[0].end"),
            (override(start="2027-05-03T09:00:30Z"), "overrides[0].start"),
            (override(start="2027-05-03T09:00:00"), "overrides[0].start"),
            (override(note="a" * 201), "overrides[0].note"),
            (override(availability=1), "overrides[0].availability"),
            (override(id=10**9), "overrides[0].id"),
            (override(appointment_template_id=TEMPLATE), "overrides[0].appointment_template_id"),
            (override(reason="x"), "overrides[0].reason"),
        ],
    )
    def test_are_refused_by_the_path_of_what_is_wrong(self, cast, ion, sent, field):
        assert list(ion.put(one(cast.sara), {**EMPTY, "overrides": [sent]}).fields) == [field]

    def test_with_the_id_of_another_specialists_are_not_found(self, cast, ion):
        theirs = ion.put(one(cast.tudor), {**EMPTY, "overrides": [override()]}).data["overrides"][0]

        refused = ion.put(one(cast.sara), {**EMPTY, "overrides": [override(id=theirs["id"])]})

        assert refused.fields == {"overrides[0].id": ["not found"]}

    def test_do_not_stand_twice_under_one_id(self, cast, ion):
        kept = ion.put(one(cast.sara), {**EMPTY, "overrides": [override()]}).data["overrides"][0]

        assert ion.put(one(cast.sara), {**EMPTY, "overrides": [kept, kept]}).fields == {
            "overrides[1].id": ["stands twice"]
        }

    def test_may_be_a_thousand(self, cast, ion):
        many = [override(note=str(number)) for number in range(1000)]

        assert len(ion.put(one(cast.sara), {**EMPTY, "overrides": many}).data["overrides"]) == 1000
        assert list(ion.put(one(cast.sara), {**EMPTY, "overrides": [*many, override()]}).fields) == ["overrides"]

    @pytest.mark.usefixtures("_template_12")
    def test_may_name_a_template_of_this_organization(self, cast, ion):
        kept = ion.put(one(cast.sara), {**EMPTY, "overrides": [override(appointment_template_id=TEMPLATE)]})

        assert kept.data["overrides"][0]["appointment_template_id"] == TEMPLATE
        refused = ion.put(one(cast.sara), {**EMPTY, "overrides": [override(appointment_template_id=13)]})
        assert refused.fields == {"overrides[0].appointment_template_id": ["not found"]}


@pytest.mark.usefixtures("_template_12")
class TestTheZone:
    elsewhere = {**EMPTY, "timezone": "Europe/Vienna"}

    def tied(self, cast, ion, start=20, end=30, **more):
        sent = override(soon(start), soon(end), appointment_template_id=TEMPLATE, **more)
        return ion.put(one(cast.sara), {**EMPTY, "overrides": [sent]}).data["overrides"][0]

    def test_is_locked_while_a_templates_override_lies_ahead_and_is_kept(self, cast, ion):
        kept = self.tied(cast, ion)

        refused = ion.put(one(cast.sara), {**self.elsewhere, "overrides": [kept]})

        assert (refused.status, refused.code) == (409, "timezone_locked")
        assert refused.details == {"override_ids": [kept["id"]]}
        assert ion.get(one(cast.sara)).data["timezone"] == "Europe/Bucharest"

    def test_moves_when_that_override_is_left_out(self, cast, ion):
        self.tied(cast, ion)

        assert ion.put(one(cast.sara), self.elsewhere).data["timezone"] == "Europe/Vienna"

    def test_moves_when_it_has_ended(self, cast, ion):
        kept = self.tied(cast, ion, start=-3, end=-2)

        assert ion.put(one(cast.sara), {**self.elsewhere, "overrides": [kept]}).status == 200

    def test_moves_with_general_overrides_and_leaves_their_instants(self, cast, ion):
        kept = ion.put(one(cast.sara), {**EMPTY, "overrides": [override(soon(20), soon(30))]}).data["overrides"]

        moved = ion.put(one(cast.sara), {**self.elsewhere, "overrides": kept}).data

        assert (moved["timezone"], moved["overrides"]) == ("Europe/Vienna", kept)

    def test_is_locked_for_the_profile_as_well(self, cast, ion):
        self.tied(cast, ion)
        profile = f"/v1/specialists/{cast.sara.specialist.pk}"

        refused = ion.put(profile, {"scheduling_timezone": "Europe/Vienna", "title": "x"})

        assert (refused.status, refused.code) == (409, "timezone_locked")
        assert ion.get(profile).data["title"] == "Dr."
        assert ion.put(profile, {"scheduling_timezone": "Europe/Bucharest"}).status == 200
