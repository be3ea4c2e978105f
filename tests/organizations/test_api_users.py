"""The platform's users over the API. Source: contract/organizations.md 1.1 and 3 (11-14)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.models import AuditEntry, User
from restartix.kernel.signatures import new_secret
from restartix.kernel.tenancy import across_organizations
from tests.make import organizations as make
from tests.organizations.provider import account, send

FIELDS = [
    "id", "email", "username", "name", "is_superadmin", "confirmed", "blocked", "last_activity",
    "current_organization_id", "created_at", "updated_at",
]  # fmt: skip


def names(answer):
    return [each["name"] for each in answer.data]


class TestTheList:
    def test_shows_everybody_who_is_not_deleted(self, cast, api):
        User.objects.filter(pk=cast.ana.user.pk).update(deleted_at="2026-01-01T00:00:00Z", blocked=True)

        answer = api(cast.root).get("/v1/users?limit=100")

        assert "Ana Pop" not in names(answer)
        assert {"Ion Admin", "Nora Admin", "Root"} <= set(names(answer))
        assert names(answer) == sorted(names(answer))
        assert list(answer.data[0]) == FIELDS

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("search=POP", ["Ana Pop"]),
            ("search=nora.admin@", ["Nora Admin"]),
            ("is_superadmin=true", ["Root"]),
            ("blocked=true", ["Mara Stan"]),
            ("blocked=true&is_superadmin=true", []),
            ("search=admin&sort=-email", ["Nora Admin", "Ion Admin"]),
        ],
    )
    def test_is_filtered_and_sorted(self, cast, api, query, expected):
        User.objects.filter(pk=cast.mara.user.pk).update(blocked=True)

        assert names(api(cast.root).get(f"/v1/users?{query}")) == expected

    def test_by_organization_shows_its_active_members_wherever_the_superadmin_stands(self, cast, api):
        nord = ["Nora Admin", "Petra Ilie", "Sorin Radu", "Vera Dinu"]
        query = f"/v1/users?organization_id={cast.nord.pk}"

        assert names(api(cast.root).get(query)) == nord
        assert names(api(cast.root, cast.sud).get(query)) == nord
        User.objects.filter(pk=cast.root.user.pk).update(current_organization=cast.sud)
        assert names(api(cast.root).get(query)) == nord
        assert names(api(cast.root).get("/v1/users?organization_id=987654321")) == []
        both = api(cast.root).get(f"{query},{cast.sud.pk}&search=vera")
        assert names(both) == ["Vera Dinu"]

    @pytest.mark.parametrize("query", ["blocked=yes", "organization_id=x", "role=admin", "sort=password", "limit=0"])
    def test_refuses_what_it_does_not_know(self, cast, api, query):
        assert api(cast.root).get(f"/v1/users?{query}").status == 422

    def test_costs_the_same_for_few_and_for_many(self, cast, api):
        counts = []
        for round_ in range(2):
            for number in range(5):
                make.user(f"User {round_}{number}")
            with CaptureQueriesContext(connection) as statements:
                assert api(cast.root).get("/v1/users?limit=100").status == 200
            counts.append(len(statements))

        assert counts[0] == counts[1]


class TestOthers:
    def test_than_superadmins_may_nothing(self, cast, api):
        path = f"/v1/users/{cast.ana.user.pk}"
        for person in (cast.ion, cast.sara, cast.mara, cast.ana):
            assert api(person).get("/v1/users").status == 403
            assert api(person).post("/v1/users", {"email": "x@example.org", "name": "X"}).status == 403
            assert api(person).get(path).status == 404
            assert api(person).patch(path, {"blocked": True}).status == 404
        assert api().get("/v1/users").status == 401


class TestOne:
    def test_is_read_with_its_etag(self, cast, api):
        answer = api(cast.root).get(f"/v1/users/{cast.ana.user.pk}")

        assert (answer.data["name"], answer.data["current_organization_id"]) == ("Ana Pop", cast.sud.pk)
        assert answer.headers["ETag"]
        assert api(cast.root).get("/v1/users/987654321").status == 404


class TestMaking:
    def test_gives_a_user_whom_the_provider_links(self, cast, api, settings):
        settings.CLERK_WEBHOOK_SECRET = [new_secret()]

        answer = api(cast.root).post("/v1/users", {"email": " Boss@X.example ", "name": "The Boss"})

        assert (answer.status, answer.data["email"], answer.data["name"]) == (201, "boss@x.example", "The Boss")
        assert (answer.data["confirmed"], answer.data["blocked"]) == (False, False)
        assert answer.headers["Location"] == f"/v1/users/{answer.data['id']}"
        told = {"type": "user.created", "data": account("user_boss", "boss@x.example", "Real Boss")}
        assert send(settings.CLERK_WEBHOOK_SECRET[0], told).data == {"status": "processed"}
        linked = api(cast.root).get(f"/v1/users/{answer.data['id']}").data
        assert (linked["name"], linked["confirmed"]) == ("Real Boss", True)

    def test_refuses_an_email_in_use(self, cast, api):
        answer = api(cast.root).post("/v1/users", {"email": "Ana.Pop@example.org", "name": "X"})

        assert (answer.status, answer.code) == (409, "conflict")
        assert answer.details == {"field": "email", "error": "already taken"}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "x@example.org"}, "name"),
            ({"name": "X"}, "email"),
            ({"email": "nobody", "name": "X"}, "email"),
            ({"email": "x@example.org", "name": " "}, "name"),
            ({"email": "x@example.org", "name": "a" * 201}, "name"),
            ({"email": "x@example.org", "name": "X", "is_superadmin": True}, "is_superadmin"),
        ],
    )
    def test_refuses_what_is_not_acceptable(self, cast, api, body, field):
        assert list(api(cast.root).post("/v1/users", body).fields) == [field]


class TestChanging:
    def test_blocks_and_lets_in_again_from_the_next_request_on(self, cast, api):
        path = f"/v1/users/{cast.ana.user.pk}"
        assert api(cast.ana).get("/v1/me").status == 200

        assert api(cast.root).patch(path, {"blocked": True}).data["blocked"] is True
        refused = api(cast.ana).get("/v1/me")
        assert api(cast.root).put(path, {"blocked": False}).data["blocked"] is False

        assert (refused.status, refused.details) == (403, {"reason": "user_blocked"})
        assert api(cast.ana).get("/v1/me").status == 200

    def test_is_audited_with_who_did_it(self, cast, api):
        api(cast.root).patch(f"/v1/users/{cast.ana.user.pk}", {"blocked": True, "name": "Ana Blocată"})

        with across_organizations(reason="test", actor=make.SYSTEM):
            entries = AuditEntry.objects.filter(entity_type="user", entity_id=str(cast.ana.user.pk), action="UPDATE")
            changed = {key: value for entry in entries for key, value in (entry.changes or {}).items()}
            assert {entry.actor_id for entry in entries if "blocked" in entry.changes} == {str(cast.root.user.pk)}
        assert changed["blocked"] == {"old": False, "new": True}
        assert changed["name"] == {"old": "Ana Pop", "new": "Ana Blocată"}

    def test_of_oneself_stops_at_blocking(self, cast, api):
        path = f"/v1/users/{cast.root.user.pk}"

        refused = api(cast.root).patch(path, {"blocked": True, "name": "Rut"})

        assert (refused.status, refused.code) == (409, "conflict")
        assert api(cast.root).patch(path, {"name": "Root Two"}).data["name"] == "Root Two"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"email": "y@example.org"}, "email"),
            ({"is_superadmin": True}, "is_superadmin"),
            ({"blocked": None}, "blocked"),
            ({"blocked": "true"}, "blocked"),
            ({"name": ""}, "name"),
        ],
    )
    def test_refuses_everything_else(self, cast, api, body, field):
        assert list(api(cast.root).patch(f"/v1/users/{cast.ana.user.pk}", body).fields) == [field]

    def test_is_guarded_by_the_state_that_was_read(self, cast, api):
        path = f"/v1/users/{cast.ana.user.pk}"
        etag = api(cast.root).get(path).headers["ETag"]
        api(cast.root).patch(path, {"name": "First"}, If_Match=etag)

        assert api(cast.root).patch(path, {"name": "Second"}, If_Match=etag).status == 412
