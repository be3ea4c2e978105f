"""Specialists over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.profiles.models import Specialist
from apps.profiles.services import specialists
from restartix.kernel import clock
from tests.make import organizations as make
from tests.make import profiles

PATH = "/v1/specialists"
PUBLIC = {"id", "name", "title", "description", "slug", "specialties", "avatar_url", "is_bookable"}
STAFF = PUBLIC | {
    "organization_id", "user_id", "has_signature", "scheduling_timezone", "scheduling_active", "license",
    "license_status", "external_reference", "created_at", "updated_at",
}  # fmt: skip


def one(person):
    return f"{PATH}/{person.specialist.pk}"


def names(answer):
    return [each["name"] for each in answer.data]


def today(days=0):
    return (clock.now() + timedelta(days=days)).date().isoformat()


class TestWhatEachSees:
    def test_patients_see_the_public_fields(self, cast, api):
        for answer in (api(cast.ana).get(one(cast.sara)).data, api(cast.ana).get(PATH).data[0]):
            assert set(answer) == PUBLIC

    def test_staff_see_more_and_admins_and_the_specialist_the_signature(self, cast, api):
        assert set(api(cast.mara).get(one(cast.sara)).data) == STAFF
        assert set(api(cast.sara).get(one(cast.tudor)).data) == STAFF
        assert set(api(cast.sara).get(one(cast.sara)).data) == STAFF | {"signature_url"}
        assert set(api(cast.ion).get(one(cast.tudor)).data) == STAFF | {"signature_url"}
        assert set(api(cast.mara).get(PATH).data[0]) == STAFF

    def test_the_user_is_embedded_on_request_for_staff(self, cast, api):
        assert api(cast.mara).get(f"{one(cast.sara)}?include=user").data["user"] == {
            "id": cast.sara.user.pk,
            "name": "Sara Marin",
            "email": "sara.marin@example.org",
        }
        assert api(cast.mara).get(f"{one(cast.tudor)}?include=user").data["user"] is None
        assert api(cast.ana).get(f"{one(cast.sara)}?include=user").status == 403
        assert api(cast.mara).get(f"{PATH}?include=password").status == 422

    def test_another_clinics_specialist_is_not_there(self, cast, api):
        assert api(cast.ion).get(one(cast.sorin)).status == 404
        assert api(cast.ion).put(one(cast.sorin), {"title": "x"}).status == 404
        assert "Sorin Radu" not in names(api(cast.ion).get(PATH))


class TestTheList:
    def test_is_newest_first_and_sorted_by_name_on_request(self, cast, api):
        assert names(api(cast.ana).get(PATH)) == ["Tudor Pop", "Sara Marin"]
        assert names(api(cast.ana).get(f"{PATH}?sort=name")) == ["Sara Marin", "Tudor Pop"]

    def test_is_searched_whatever_case_and_accents(self, cast, api):
        profiles.specialist(cast.sud, "Ștefan Țuțu", title="Kinetoterapeut")

        assert names(api(cast.ana).get(f"{PATH}?search=stefan")) == ["Ștefan Țuțu"]
        assert names(api(cast.ana).get(f"{PATH}?search=KINETO")) == ["Ștefan Țuțu"]

    def test_is_filtered_by_specialty_once_for_each_specialist(self, cast, api):
        knee, back = profiles.specialty(cast.sud), profiles.specialty(cast.sud, "Spate", "spate")
        api(cast.ion).put(one(cast.sara), {"specialty_ids": [knee.pk, back.pk]})

        assert names(api(cast.ana).get(f"{PATH}?specialty_id={knee.pk},{back.pk}")) == ["Sara Marin"]
        assert names(api(cast.ana).get(f"{PATH}?specialty_id={10**9}")) == []

    def test_is_filtered_by_slug_and_user(self, cast, api):
        assert names(api(cast.ana).get(f"{PATH}?slug=tudor-pop")) == ["Tudor Pop"]
        assert names(api(cast.mara).get(f"{PATH}?user_id={cast.sara.user.pk}")) == ["Sara Marin"]

    @pytest.mark.parametrize("query", ["scheduling_active=true", "user_id=1", "license_status=valid", "deleted=true"])
    def test_some_filters_are_not_open_to_patients(self, cast, api, query):
        answer = api(cast.ana).get(f"{PATH}?{query}")

        assert (answer.status, answer.code) == (403, "forbidden")

    def test_the_deleted_are_shown_to_admins_who_ask(self, cast, api):
        ion = api(cast.ion)
        ion.delete(one(cast.tudor))

        assert names(ion.get(PATH)) == ["Sara Marin"]
        assert names(ion.get(f"{PATH}?deleted=false")) == ["Sara Marin"]
        assert names(ion.get(f"{PATH}?deleted=true")) == ["Tudor Pop"]
        assert api(cast.mara).get(f"{PATH}?deleted=true").status == 403
        assert names(api(cast.mara).get(PATH)) == ["Sara Marin"]

    def test_costs_the_same_for_few_and_for_many(self, cast, api, django_assert_max_num_queries):
        knee = profiles.specialty(cast.sud)
        for number in range(10):
            profiles.specialist(cast.sud, f"Doctor {number}", specialty_ids=[knee.pk])
        with django_assert_max_num_queries(13):
            assert len(api(cast.mara).get(f"{PATH}?include=user").data) == 12


class TestTakingOn:
    def test_makes_a_slug_of_the_name(self, cast, api):
        ion = api(cast.ion)

        first = ion.post(PATH, {"name": "Ștefan Țuțu"})
        second = ion.post(PATH, {"name": "stefan tutu"})

        assert first.status == 201
        assert first.headers["Location"] == f"{PATH}/{first.data['id']}"
        assert [first.data["slug"], second.data["slug"]] == ["stefan-tutu", "stefan-tutu-2"]
        assert first.data["scheduling_active"] is False
        assert first.data["is_bookable"] is False
        assert first.data["license"] is None
        assert first.data["license_status"] == "none"

    def test_takes_every_field(self, cast, api):
        knee = profiles.specialty(cast.sud)
        body = {
            "name": "Vera Dinu",
            "title": "Dr.",
            "description": "Umăr și genunchi.",
            "slug": "vera",
            "user_id": cast.vera.user.pk,
            "specialty_ids": [knee.pk],
            "scheduling_timezone": "Europe/Bucharest",
            "scheduling_active": True,
            "license": {"number": "B-17", "issuing_body": "CMR", "issued_on": "2020-01-01", "expires_on": "2099-01-01"},
            "external_reference": "HR-9",
        }

        made = api(cast.ion).post(PATH, body).data

        assert made["specialties"] == [{"id": knee.pk, "title": "Kinetoterapie", "slug": "kinetoterapie"}]
        assert {key: made[key] for key in body if key != "specialty_ids"} == {
            key: value for key, value in body.items() if key != "specialty_ids"
        }
        assert (made["is_bookable"], made["license_status"]) == (True, "valid")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": "x", "slug": "Big"}, "slug"),
            ({"name": "x", "specialty_ids": [1, 1]}, "specialty_ids[1]"),
            ({"name": "x", "specialty_ids": [10**9]}, "specialty_ids[0]"),
            ({"name": "x", "user_id": 10**9}, "user_id"),
            ({"name": "x", "scheduling_active": True}, "scheduling_active"),
            ({"name": "x", "scheduling_timezone": "Europe/Bukarest"}, "scheduling_timezone"),
            ({"name": "x", "license": {"number": "1"}}, "license.issuing_body"),
            (
                {
                    "name": "x",
                    "license": {
                        "number": "1",
                        "issuing_body": "b",
                        "issued_on": "2026-01-01",
                        "expires_on": "2026-01-01",
                    },
                },
                "license.expires_on",
            ),
            ({"name": "x", "is_bookable": True}, "is_bookable"),
            ({"name": "x", "description": "a" * 5001}, "description"),
        ],
    )
    def test_refuses_what_is_not_acceptable_by_its_path(self, cast, api, body, field):
        assert list(api(cast.ion).post(PATH, body).fields) == [field]

    def test_links_only_members_who_may_treat(self, cast, api):
        ion = api(cast.ion)

        assert ion.post(PATH, {"name": "x", "user_id": cast.sorin.user.pk}).fields == {"user_id": ["not found"]}
        assert list(ion.post(PATH, {"name": "x", "user_id": cast.ana.user.pk}).fields) == ["user_id"]
        taken = ion.post(PATH, {"name": "x", "user_id": cast.sara.user.pk})
        assert (taken.status, taken.details) == (409, {"field": "user_id", "error": "already taken"})

    def test_names_the_slug_that_is_taken(self, cast, api):
        taken = api(cast.ion).post(PATH, {"name": "x", "slug": "sara-marin"})

        assert (taken.status, taken.details) == (409, {"field": "slug", "error": "already taken"})
        assert api(cast.nora).post(PATH, {"name": "x", "slug": "sara-marin"}).status == 201

    def test_is_for_admins_in_an_organization(self, cast, api):
        for person in (cast.sara, cast.mara, cast.ana):
            assert api(person).post(PATH, {"name": "x"}).status == 403
        nowhere = api(cast.root).post(PATH, {"name": "x"})
        assert (nowhere.status, nowhere.code) == (400, "organization_required")
        assert api(cast.root, cast.sud).post(PATH, {"name": "x"}).status == 201


class TestChanging:
    def test_specialists_write_their_own_list_of_their_own_row(self, cast, api):
        sara = api(cast.sara)

        assert sara.put(one(cast.sara), {"description": "x"}).data["description"] == "x"
        refused = sara.put(one(cast.sara), {"name": "y", "license": None, "description": "z"})
        assert (refused.status, refused.details) == (403, {"fields": ["license", "name"]})
        assert sara.get(one(cast.sara)).data["description"] == "x"
        assert sara.put(one(cast.tudor), {"description": "x"}).status == 403
        assert list(sara.put(one(cast.sara), {"descripton": "x"}).fields) == ["descripton"]

    def test_others_write_none(self, cast, api):
        assert api(cast.mara).put(one(cast.sara), {"title": "x"}).status == 403
        assert api(cast.ana).put(one(cast.sara), {"title": "x"}).status == 403

    def test_changes_what_was_sent_and_leaves_the_rest(self, cast, api):
        ion = api(cast.ion)
        before = ion.get(one(cast.sara)).data

        after = ion.patch(one(cast.sara), {"title": None}).data

        assert after["title"] is None
        assert {**after, "title": "Dr.", "updated_at": None} == {**before, "updated_at": None}

    def test_replaces_the_set_of_specialties_by_title(self, cast, api):
        ion = api(cast.ion)
        back, knee = (
            profiles.specialty(cast.sud, "Spate", "spate"),
            profiles.specialty(cast.sud, "Genunchi", "genunchi"),
        )

        both = ion.put(one(cast.sara), {"specialty_ids": [back.pk, knee.pk]}).data["specialties"]
        none = ion.put(one(cast.sara), {"specialty_ids": []}).data["specialties"]

        assert [each["title"] for each in both] == ["Genunchi", "Spate"]
        assert none == []

    def test_refuses_another_clinics_specialty_as_an_absent_one(self, cast, api):
        theirs = profiles.specialty(cast.nord)

        foreign = api(cast.ion).put(one(cast.sara), {"specialty_ids": [theirs.pk]})
        absent = api(cast.ion).put(one(cast.sara), {"specialty_ids": [10**9]})

        assert foreign.fields == absent.fields == {"specialty_ids[0]": ["not found"]}

    def test_keeps_an_active_specialist_in_a_zone(self, cast, api):
        ion = api(cast.ion)

        assert list(ion.put(one(cast.sara), {"scheduling_timezone": None}).fields) == ["scheduling_timezone"]
        put_out = ion.put(one(cast.sara), {"scheduling_timezone": None, "scheduling_active": False}).data
        assert (put_out["scheduling_timezone"], put_out["is_bookable"]) == (None, False)
        assert list(ion.put(one(cast.sara), {"scheduling_active": True}).fields) == ["scheduling_active"]

    def test_by_a_superadmin_without_context_stays_in_the_rows_organization(self, cast, api):
        knee = profiles.specialty(cast.sud)

        changed = api(cast.root).put(one(cast.sara), {"specialty_ids": [knee.pk]}).data

        assert [each["id"] for each in changed["specialties"]] == [knee.pk]

    def test_is_guarded_by_the_state_that_was_read(self, cast, api):
        ion = api(cast.ion)
        etag = ion.get(f"{one(cast.sara)}?include=user").headers["ETag"]

        assert ion.put(one(cast.sara), {"title": "Prof."}, If_Match=etag).status == 200
        assert ion.put(one(cast.sara), {"title": "Dr."}, If_Match=etag).status == 412


class TestLicences:
    def licensed(self, cast, api, **held):
        body = {"license": {"number": "B-17", "issuing_body": "CMR", **held}}
        return api(cast.ion).put(one(cast.sara), body).data

    @pytest.mark.parametrize(
        ("days", "status"), [(None, "valid"), (-1, "expired"), (0, "expiring"), (60, "expiring"), (62, "valid")]
    )
    def test_stand_by_the_organizations_date(self, cast, api, days, status):
        held = {} if days is None else {"expires_on": self.local(days)}

        assert self.licensed(cast, api, **held)["license_status"] == status
        for wanted in ("none", "valid", "expiring", "expired"):
            listed = names(api(cast.mara).get(f"{PATH}?license_status={wanted}"))
            assert ("Sara Marin" in listed) == (wanted == status)
            assert ("Tudor Pop" in listed) == (wanted == "none")

    def local(self, days):
        from zoneinfo import ZoneInfo

        return (clock.now().astimezone(ZoneInfo("Europe/Bucharest")) + timedelta(days=days)).date().isoformat()

    def test_take_the_specialist_off_when_expired_and_the_clinic_says_so(self, cast, api):
        assert self.licensed(cast, api, expires_on=self.local(-1))["is_bookable"] is True
        assert "Sara Marin" in names(api(cast.ana).get(f"{PATH}?is_bookable=true"))

        api(cast.ion).patch(f"/v1/organizations/{cast.sud.pk}", {"settings": {"suspend_on_expired_license": True}})

        assert api(cast.ana).get(one(cast.sara)).data["is_bookable"] is False
        assert names(api(cast.ana).get(f"{PATH}?is_bookable=true")) == ["Tudor Pop"]
        assert names(api(cast.ana).get(f"{PATH}?is_bookable=false")) == ["Sara Marin"]

    def test_filters_and_answers_agree_for_everybody(self, cast, api):
        profiles.specialist(cast.sud, "Nobody Yet")
        profiles.specialist(cast.sud, "Zoned", scheduling_timezone="Europe/Bucharest")
        api(cast.ion).delete(one(cast.tudor))

        for value in ("true", "false"):
            for row in api(cast.root).get(f"{PATH}?is_bookable={value}").data:
                assert row["is_bookable"] == (value == "true"), row["name"]

    def test_are_taken_away(self, cast, api):
        self.licensed(cast, api)

        gone = api(cast.ion).put(one(cast.sara), {"license": None}).data

        assert (gone["license"], gone["license_status"]) == (None, "none")


class TestDeletion:
    def test_hides_the_specialist_from_all_but_admins(self, cast, api):
        assert api(cast.mara).delete(one(cast.sara)).status == 403
        assert api(cast.ion).delete(one(cast.sara)).status == 204

        assert api(cast.mara).get(one(cast.sara)).status == 404
        assert api(cast.sara).get("/v1/me").data["specialist_id"] is None
        kept = api(cast.ion).get(one(cast.sara)).data
        assert kept["deleted_at"] is not None
        assert kept["is_bookable"] is False

    def test_allows_no_change_but_the_restoration(self, cast, api):
        ion = api(cast.ion)
        ion.delete(one(cast.sara))

        assert ion.put(one(cast.sara), {"title": "x"}).status == 409
        assert ion.delete(one(cast.sara)).status == 409

    def test_waits_for_appointments_and_then_lets_go_of_the_rest(self, cast, api, monkeypatch):
        let_go = []
        ahead = {"number": 3}
        monkeypatch.setattr(specialists.removal, "_counts", {"future_appointments": lambda row: ahead["number"]})
        monkeypatch.setattr(specialists.removal, "_consequences", [lambda row, by: let_go.append((row.pk, by.user_id))])

        waiting = api(cast.ion).delete(one(cast.sara))
        ahead["number"] = 0
        done = api(cast.ion).delete(one(cast.sara))

        assert (waiting.status, waiting.code, waiting.details) == (409, "conflict", {"future_appointments": 3})
        assert done.status == 204
        assert let_go == [(cast.sara.specialist.pk, cast.ion.user.pk)]

    def test_waits_for_the_future_appointments_of_the_calendar(self, cast, api):
        ion = api(cast.ion)
        body = {
            "patient_id": cast.ana.patient.pk,
            "specialist_id": cast.sara.specialist.pk,
            "started_at": f"{today(7)}T08:00:00Z",
            "ended_at": f"{today(7)}T09:00:00Z",
        }
        visit = ion.post("/v1/appointments", body).data

        waiting = ion.delete(one(cast.sara))
        ion.put(f"/v1/appointments/{visit['id']}/cancel", {"reason": "leaves the clinic"})

        assert (waiting.status, waiting.details) == (409, {"future_appointments": 1})
        assert ion.delete(one(cast.sara)).status == 204
        assert ion.get(f"/v1/appointments/{visit['id']}").data["specialist"]["name"] == "Sara Marin"

    def test_frees_the_slug_and_is_undone_with_another(self, cast, api):
        ion = api(cast.ion)
        ion.delete(one(cast.sara))
        other = ion.post(PATH, {"name": "Sara Marin", "user_id": cast.sara.user.pk}).data

        back = ion.post(f"{one(cast.sara)}/restore")

        assert other["slug"] == "sara-marin"
        assert back.status == 200
        assert (back.data["slug"], back.data["user_id"]) == ("sara-marin-2", None)
        assert "deleted_at" not in back.data
        assert ion.post(f"{one(cast.sara)}/restore").data == back.data

    def test_is_undone_as_it_was_where_nothing_was_taken(self, cast, api):
        ion = api(cast.ion)
        before = ion.get(one(cast.sara)).data
        ion.delete(one(cast.sara))

        assert api(cast.mara).post(f"{one(cast.sara)}/restore").status == 404
        assert {**ion.post(f"{one(cast.sara)}/restore").data, "updated_at": 0} == {**before, "updated_at": 0}


def test_a_deleted_specialist_keeps_the_row(cast, api):
    api(cast.ion).delete(one(cast.sara))

    with make.within(cast.sud):
        assert Specialist.objects.get(pk=cast.sara.specialist.pk).name == "Sara Marin"
