"""Members of an organization over the API."""

from __future__ import annotations

import pytest

from apps.organizations.models import AuditEntry, Membership
from apps.organizations.services import users
from tests.make import organizations as make
from tests.make import profiles


def members(organization, rest=""):
    return f"/v1/organizations/{organization.pk}/members{rest}"


def connect(organization):
    return f"/v1/organizations/{organization.pk}/connect-user"


def membership_of(person, organization):
    with make.within(organization):
        return Membership.objects.get(user=getattr(person, "user", person))


class TestTheList:
    def test_shows_admins_and_the_desk_who_belongs_here(self, cast, api):
        listed = api(cast.mara).get(members(cast.sud)).data

        assert [each["user"]["name"] for each in listed] == [
            "Ana Pop",
            "Ion Admin",
            "Mara Stan",
            "Sara Marin",
            "Vera Dinu",
        ]
        assert listed == api(cast.ion).get(members(cast.sud)).data
        assert api(cast.sara).get(members(cast.sud)).status == 403
        assert api(cast.ana).get(members(cast.sud)).status == 403

    def test_tells_who_is_a_specialist_and_who_a_patient(self, cast, api):
        listed = {each["user"]["name"]: each for each in api(cast.ion).get(members(cast.sud)).data}

        assert listed["Sara Marin"]["specialist_id"] == cast.sara.specialist.pk
        assert listed["Sara Marin"]["patient_id"] is None
        assert listed["Ana Pop"]["patient_id"] == cast.ana.patient.pk
        assert listed["Ana Pop"]["user"] == {
            "id": cast.ana.user.pk,
            "name": "Ana Pop",
            "email": "ana.pop@example.org",
        }

    def test_is_filtered_and_sorted(self, cast, api):
        ion = api(cast.ion)
        names = lambda query: [each["user"]["name"] for each in ion.get(members(cast.sud, query)).data]  # noqa: E731

        assert names("?role=admin") == ["Ion Admin", "Vera Dinu"]
        assert names("?role=patient,specialist") == ["Ana Pop", "Sara Marin"]
        assert names("?search=ana.pop@") == ["Ana Pop"]
        assert names("?search=MARĂ") == ["Mara Stan"]
        assert names("?status=disabled") == []
        assert names("?sort=-name")[0] == "Vera Dinu"
        assert ion.get(members(cast.sud, "?sort=last_activity")).status == 200
        assert ion.get(members(cast.sud, "?role=superadmin")).status == 422

    def test_costs_the_same_for_few_and_for_many(self, cast, api, django_assert_max_num_queries):
        for number in range(10):
            make.member(cast.sud, make.user(f"Member {number}"), "patient")
        with django_assert_max_num_queries(12):
            assert len(api(cast.ion).get(members(cast.sud)).data) == 15


class TestChanging:
    def test_gives_another_role(self, cast, api):
        mara = membership_of(cast.mara, cast.sud)

        changed = api(cast.ion).patch(members(cast.sud, f"/{mara.pk}"), {"role": "admin"}).data

        assert (changed["id"], changed["role"], changed["status"]) == (mara.pk, "admin", "active")
        assert api(cast.mara).patch(f"/v1/organizations/{cast.sud.pk}", {"tagline": "x"}).status == 200

    def test_of_oneself_is_refused(self, cast, api):
        ion = membership_of(cast.ion, cast.sud)

        answer = api(cast.ion).patch(members(cast.sud, f"/{ion.pk}"), {"role": "specialist"})

        assert (answer.status, answer.details) == (403, {"reason": "own_membership"})
        typo = api(cast.ion).patch(members(cast.sud, f"/{ion.pk}"), {"nmae": "x"})
        assert (typo.status, typo.details) == (403, {"reason": "own_membership"})

    def test_leaves_an_active_admin(self, cast, api):
        root = api(cast.root)
        nora = membership_of(cast.nora, cast.nord)
        vera = membership_of(cast.vera, cast.nord)
        assert root.patch(members(cast.nord, f"/{vera.pk}"), {"status": "disabled"}).status == 200

        for body in ({"role": "specialist"}, {"status": "disabled"}):
            answer = root.patch(members(cast.nord, f"/{nora.pk}"), body)
            assert (answer.status, answer.code) == (409, "last_admin")

    def test_is_for_admins_and_rows_of_their_own_organization(self, cast, api):
        ana = membership_of(cast.ana, cast.sud)
        petra = membership_of(cast.petra, cast.nord)

        assert api(cast.mara).patch(members(cast.sud, f"/{ana.pk}"), {"status": "disabled"}).status == 403
        assert api(cast.sara).patch(members(cast.sud, f"/{ana.pk}"), {"status": "disabled"}).status == 403
        assert api(cast.sara).patch(members(cast.sud, "/99999999"), {"status": "disabled"}).status == 403
        assert api(cast.ion).patch(members(cast.sud, f"/{petra.pk}"), {"status": "disabled"}).status == 404
        assert api(cast.vera).patch(members(cast.sud, f"/{petra.pk}"), {"status": "disabled"}).status == 404

    @pytest.mark.parametrize("body", [{"role": "superadmin"}, {"status": "gone"}, {"user": 1}, {"role": None}])
    def test_takes_known_roles_and_statuses(self, cast, api, body):
        ana = membership_of(cast.ana, cast.sud)

        assert api(cast.ion).patch(members(cast.sud, f"/{ana.pk}"), body).status == 422

    def test_that_disables_holds_from_the_next_request_on(self, cast, api):
        ana = membership_of(cast.ana, cast.sud)
        api(cast.ion).patch(members(cast.sud, f"/{ana.pk}"), {"status": "disabled"})

        assert api(cast.ana, cast.sud).get("/v1/specialists").status == 403
        without = api(cast.ana).get("/v1/specialists")
        assert (without.status, without.code) == (400, "organization_required")
        me = api(cast.ana).get("/v1/me")
        assert me.status == 200
        assert me.data["current_organization"] is None
        assert me.data["role"] is None
        assert me.data["memberships"] == []

    def test_keeps_patient_and_specialist_rows(self, cast, api):
        sara = membership_of(cast.sara, cast.sud)

        disabled = api(cast.ion).patch(members(cast.sud, f"/{sara.pk}"), {"status": "disabled"}).data
        enabled = api(cast.ion).patch(members(cast.sud, f"/{sara.pk}"), {"status": "active"}).data

        assert disabled["specialist_id"] == enabled["specialist_id"] == cast.sara.specialist.pk
        assert api(cast.sara).get("/v1/me").data["current_organization"]["id"] == cast.sud.pk

    def test_leaves_an_audit_row_with_both_values(self, cast, api):
        mara = membership_of(cast.mara, cast.sud)
        api(cast.ion).patch(members(cast.sud, f"/{mara.pk}"), {"role": "admin"})

        with make.within(cast.sud):
            entry = AuditEntry.objects.filter(entity_type="membership", entity_id=str(mara.pk)).latest("id")
        assert entry.changes == {"role": {"old": "customer_support", "new": "admin"}}
        assert (entry.actor_type, entry.actor_id, entry.actor_role) == ("user", str(cast.ion.user.pk), "admin")


class TestConnecting:
    @pytest.fixture
    def dan(self, cast):
        return make.user("Dan Lup")

    def test_makes_a_member(self, cast, api, dan):
        answer = api(cast.ion).post(connect(cast.sud), {"email": "Dan.Lup@example.org", "role": "patient"})

        assert answer.status == 201
        assert answer.data["role"] == "patient"
        assert answer.data["created_by"]["id"] == cast.ion.user.pk
        assert api(dan).get("/v1/me").data["current_organization"]["id"] == cast.sud.pk

    def test_again_changes_nothing(self, cast, api, dan):
        body = {"user_id": dan.pk, "role": "patient"}
        first = api(cast.ion).post(connect(cast.sud), body)

        again = api(cast.ion).post(connect(cast.sud), body)
        other = api(cast.ion).post(connect(cast.sud), {**body, "role": "admin"})

        assert (first.status, again.status) == (201, 200)
        assert again.data == first.data
        assert (other.status, other.code, other.details) == (409, "conflict", {"role": "patient"})

    def test_wakes_a_disabled_member_in_the_role_that_was_sent(self, cast, api):
        ana = membership_of(cast.ana, cast.sud)
        api(cast.ion).patch(members(cast.sud, f"/{ana.pk}"), {"status": "disabled"})

        answer = api(cast.ion).post(connect(cast.sud), {"user_id": cast.ana.user.pk, "role": "specialist"})

        assert answer.status == 200
        assert (answer.data["id"], answer.data["role"], answer.data["status"]) == (ana.pk, "specialist", "active")
        assert api(cast.ana).get("/v1/me").data["role"] == "specialist"

    def test_of_somebody_who_cannot_be_one_says_not_found(self, cast, api, dan):
        users.block(dan, by=make.SYSTEM)
        ion = api(cast.ion)

        assert ion.post(connect(cast.sud), {"user_id": dan.pk, "role": "patient"}).fields == {"user_id": ["not found"]}
        assert ion.post(connect(cast.sud), {"email": "no@example.org", "role": "patient"}).fields == {
            "email": ["not found"]
        }

    @pytest.mark.parametrize(
        "body",
        [
            {"role": "patient"},
            {"user_id": 1, "email": "a@example.org", "role": "patient"},
            {"user_id": 1},
            {"user_id": 1, "role": "superadmin"},
            {"user_id": "1", "role": "patient"},
        ],
    )
    def test_names_one_user_and_a_role(self, cast, api, body):
        assert api(cast.ion).post(connect(cast.sud), body).status == 422

    def test_is_for_admins(self, cast, api, dan):
        body = {"user_id": dan.pk, "role": "patient"}

        assert api(cast.mara).post(connect(cast.sud), body).status == 403
        assert api(cast.ion).post(connect(cast.nord), body).status == 404
        assert api(cast.root).post(connect(cast.sud), body).status == 201

    def test_is_limited_to_twenty_a_minute(self, cast, api):
        body = {"user_id": cast.sara.user.pk, "role": "specialist"}

        statuses = [api(cast.ion).post(connect(cast.sud), body).status for _ in range(21)]

        assert statuses == [200] * 20 + [429]

    def test_does_not_tell_a_patients_name_to_another_clinic(self, cast, api):
        """The membership shows the user; specialist and patient rows of another clinic stay unknown."""
        profiles.patient(cast.nord, "Dan Lup", user=make.user("Dan Nord"))
        answer = api(cast.ion).post(connect(cast.sud), {"email": "dan.nord@example.org", "role": "patient"})

        assert (answer.status, answer.data["patient_id"]) == (201, None)
