"""The signed-in user over the API: GET /v1/me, PUT /v1/me/switch-organization."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.organizations.models import AuditEntry
from apps.organizations.services import users
from apps.profiles.models import PatientPersonManager
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, across_organizations
from tests.make import organizations as make

KEYS = {
    "id", "email", "username", "name", "is_superadmin", "confirmed", "last_activity", "role", "current_organization",
    "organization_ids", "memberships", "specialist_id", "specialist_name", "patient_id", "managed_patients",
    "impersonation",
}  # fmt: skip


class TestMe:
    def test_tells_an_admin_where_they_are(self, cast, api):
        me = api(cast.ion).get("/v1/me").data

        assert set(me) == KEYS
        assert me["role"] == "admin"
        assert me["current_organization"] == {
            "id": cast.sud.pk,
            "name": "Clinica Sud",
            "slug": "clinica-sud",
            "status": "active",
            "timezone": "Europe/Bucharest",
            "locale": "ro",
            "currency": "RON",
            "logo_url": None,
        }
        assert me["specialist_id"] is me["patient_id"] is me["impersonation"] is None
        assert me["managed_patients"] == []
        assert me["last_activity"] is not None

    def test_tells_specialists_and_patients_who_they_are(self, cast, api):
        sara, ana = api(cast.sara).get("/v1/me").data, api(cast.ana).get("/v1/me").data

        assert (sara["specialist_id"], sara["specialist_name"]) == (cast.sara.specialist.pk, "Sara Marin")
        assert (ana["role"], ana["patient_id"]) == ("patient", cast.ana.patient.pk)

    def test_lists_memberships_by_name_over_all_organizations(self, cast, api):
        me = api(cast.vera).get("/v1/me").data

        assert me["organization_ids"] == sorted([cast.sud.pk, cast.nord.pk])
        assert [(each["name"], each["role"]) for each in me["memberships"]] == [
            ("Clinica Nord", "admin"),
            ("Clinica Sud", "admin"),
        ]

    def test_is_in_the_organization_of_the_header(self, cast, api):
        assert api(cast.vera).get("/v1/me").data["current_organization"]["slug"] == "clinica-sud"
        assert api(cast.vera, cast.nord).get("/v1/me").data["current_organization"]["slug"] == "clinica-nord"
        assert api(cast.ion, cast.nord).get("/v1/me").status == 403
        assert api(cast.ion, "abc").get("/v1/me").status == 422

    def test_needs_no_organization(self, cast, api):
        lonely = api(make.user("Dan Lup")).get("/v1/me").data
        root = api(cast.root).get("/v1/me").data

        assert (lonely["role"], lonely["current_organization"], lonely["memberships"]) == (None, None, [])
        assert (root["role"], root["current_organization"], root["organization_ids"]) == ("superadmin", None, [])

    def test_shows_a_superadmin_the_organization_of_the_header(self, cast, api):
        me = api(cast.root, cast.nord).get("/v1/me").data

        assert (me["role"], me["current_organization"]["slug"]) == ("superadmin", "clinica-nord")

    def test_works_in_a_suspended_organization(self, cast, api):
        api(cast.root).patch(f"/v1/organizations/{cast.sud.pk}", {"status": "suspended"})

        assert api(cast.ion).get("/v1/me").data["current_organization"]["status"] == "suspended"

    def test_lists_the_patients_whom_the_user_cares_for_today(self, cast, api):
        dan = make.user("Dan Lup")
        make.member(cast.sud, dan, "patient")
        today = clock.now().date()
        with make.within(cast.sud):
            PatientPersonManager.objects.create(
                patient=cast.ana.patient,
                user=dan,
                relation="spouse",
                permissions="view",
                valid_from=today - timedelta(days=2),
                created_by=cast.ion.user,
            )

        assert api(dan).get("/v1/me").data["managed_patients"] == [
            {"patient_id": cast.ana.patient.pk, "name": "Ana Pop", "permissions": "view"}
        ]
        with make.within(cast.sud):
            PatientPersonManager.objects.update(valid_to=today - timedelta(days=1))
        assert api(dan).get("/v1/me").data["managed_patients"] == []

    def test_refuses_strangers_and_the_blocked(self, cast, api):
        users.block(cast.mara.user, by=make.SYSTEM)

        blocked = api(cast.mara).get("/v1/me")

        assert (blocked.status, blocked.details) == (403, {"reason": "user_blocked"})
        assert api().get("/v1/me").status == 401

    def test_keeps_its_etag_while_only_the_last_activity_moves(self, cast, api):
        etag = api(cast.ion).get("/v1/me").headers["ETag"]

        assert api(cast.ion).get("/v1/me", If_None_Match=etag).status == 304

    def test_refuses_unknown_parameters(self, cast, api):
        assert api(cast.ion).get("/v1/me?organization=7").status == 422

    def test_costs_few_queries(self, cast, api, django_assert_max_num_queries):
        with django_assert_max_num_queries(14):
            api(cast.vera).get("/v1/me")


class TestSwitching:
    path = "/v1/me/switch-organization"

    def test_changes_what_requests_without_a_header_see(self, cast, api):
        me = api(cast.vera).put(self.path, {"organization_id": cast.nord.pk}).data

        assert me["current_organization"]["slug"] == "clinica-nord"
        assert me["role"] == "admin"
        seen = api(cast.vera).get("/v1/specialists").data
        assert [each["name"] for each in seen] == ["Sorin Radu"]

    def test_does_not_look_at_the_header(self, cast, api):
        me = api(cast.vera, cast.sud).put(self.path, {"organization_id": cast.nord.pk}).data

        assert me["current_organization"]["slug"] == "clinica-nord"
        assert api(cast.ion, cast.nord).put(self.path, {"organization_id": cast.sud.pk}).status == 200

    def test_shows_what_the_user_is_there(self, cast, api):
        make.member(cast.nord, cast.sara.user, "patient")

        there = api(cast.sara).put(self.path, {"organization_id": cast.nord.pk}).data
        back = api(cast.sara).put(self.path, {"organization_id": cast.sud.pk}).data

        assert (there["role"], there["specialist_id"]) == ("patient", None)
        assert (back["role"], back["specialist_id"]) == ("specialist", cast.sara.specialist.pk)

    def test_leads_only_where_one_is_an_active_member(self, cast, api):
        ion = api(cast.ion)

        assert ion.put(self.path, {"organization_id": cast.nord.pk}).status == 403
        assert ion.put(self.path, {"organization_id": 10**15}).status == 403
        assert ion.put(self.path, {"organization_id": None}).fields == {"organization_id": ["null is not accepted"]}
        assert ion.put(self.path, {}).fields == {"organization_id": ["required"]}
        assert ion.put(self.path, {"organization_id": "7"}).status == 422

    def test_does_not_lead_into_a_suspended_one(self, cast, api):
        api(cast.root).patch(f"/v1/organizations/{cast.nord.pk}", {"status": "suspended"})

        refused = api(cast.vera).put(self.path, {"organization_id": cast.nord.pk})

        assert (refused.status, refused.details) == (403, {"reason": "organization_suspended"})

    def test_leads_a_superadmin_anywhere_and_nowhere(self, cast, api):
        root = api(cast.root)

        assert (
            root.put(self.path, {"organization_id": cast.nord.pk}).data["current_organization"]["slug"]
            == "clinica-nord"
        )
        assert [each["name"] for each in root.get("/v1/specialists").data] == ["Sorin Radu"]
        assert root.put(self.path, {"organization_id": 10**15}).status == 404
        assert root.put(self.path, {"organization_id": None}).data["current_organization"] is None
        assert len(root.get("/v1/specialists").data) == 3

    @pytest.mark.parametrize("who", ["vera", "root"])
    def test_leaves_an_audit_row(self, cast, api, who):
        person = getattr(cast, who)
        api(person).put(self.path, {"organization_id": cast.nord.pk})

        with across_organizations(reason="test", actor=Actor.system("tests")):
            entry = AuditEntry.objects.filter(entity_type="user", entity_id=str(person.user.pk)).latest("id")
        assert entry.action == "UPDATE"
        assert entry.changes["current_organization_id"]["new"] == cast.nord.pk
        assert entry.actor_id == str(person.user.pk)
