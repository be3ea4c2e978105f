"""What the identity provider tells of people: signed, once, newest last. Source: contract/organizations.md 2.1."""

from __future__ import annotations

import json
import logging
import time

import pytest

from apps.organizations.models import AuditEntry, IdentityEvent, Membership, User
from apps.organizations.services import arrivals
from restartix.kernel import clock, signatures
from restartix.kernel.tenancy import across_organizations
from tests.make import organizations as make
from tests.organizations.provider import account, send

pytestmark = pytest.mark.django_db
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VECTOR = (
    b'{"type":"user.created","object":"event","data":{"id":"user_ana","email_addresses":[{"id":"e1",'
    b'"email_address":"Ana@Example.org","verification":{"status":"verified"}}],"primary_email_address_id":"e1",'
    b'"username":null,"first_name":"Ana","last_name":"Pop","updated_at":1796119200000}}'
)


@pytest.fixture(autouse=True)
def _secret(settings):
    settings.CLERK_WEBHOOK_SECRET = [SECRET]


def tell(kind, data, **how):
    return send(SECRET, {"type": kind, "object": "event", "data": data}, **how)


def status_of(answer):
    assert answer.status == 200, answer.content
    assert list(answer.json) == ["data"]
    assert list(answer.data) == ["status"]
    return answer.data["status"]


class TestTheSignature:
    def test_of_the_contracts_example_makes_its_user(self, monkeypatch):
        monkeypatch.setattr(time, "time", lambda: 1796119200.0)
        signature = "v1,N5jesNTj+Fq4BvuqOWYD++SmS51NOpw+ISa6SY8AKOU="

        answer = send(SECRET, VECTOR, key="msg_contract_0001", at=1796119200, signature=signature)

        assert status_of(answer) == "processed"
        user = User.objects.get(clerk_user_id="user_ana")
        assert (user.email, user.name, user.confirmed, user.username) == ("ana@example.org", "Ana Pop", True, None)

    @pytest.mark.parametrize("missing", ["id", "timestamp", "signature"])
    def test_is_missing_without_any_of_its_headers(self, missing):
        answer = tell("user.created", account("user_x", "x@example.org"), without=(missing,))

        assert (answer.status, answer.code, answer.details) == (401, "unauthorized", {"reason": "missing_signature"})

    @pytest.mark.parametrize("signature", ["v1,AAAA", "v2,x", "nonsense", "v1, "])
    def test_that_does_not_match_is_refused_and_nothing_is_stored(self, signature):
        answer = tell("user.created", account("user_x", "x@example.org"), signature=signature)

        assert (answer.status, answer.details) == (401, {"reason": "bad_signature"})
        assert not IdentityEvent.objects.exists()
        assert not User.objects.exists()

    def test_breaks_with_one_changed_byte(self):
        body = json.dumps({"type": "user.created", "data": account("user_x", "x@example.org")}).encode()

        answer = send(SECRET, body, sent=body.replace(b"x@example", b"y@example"))

        assert (answer.status, answer.details) == (401, {"reason": "bad_signature"})

    @pytest.mark.parametrize(("age", "status"), [(301, 401), (-302, 401), (298, 200), (-298, 200)])
    def test_holds_for_three_hundred_seconds_either_way(self, age, status):
        answer = tell("user.created", account("user_x", "x@example.org"), at=time.time() - age)

        assert answer.status == status
        if status == 401:
            assert answer.details == {"reason": "timestamp_out_of_tolerance"}

    def test_may_stand_among_others_and_come_in_either_family_of_headers(self):
        body = json.dumps({"type": "user.created", "data": account("user_x", "x@example.org")}).encode()
        stamp = int(time.time())
        good = signatures.sign(SECRET, message_id="msg_1", timestamp=stamp, body=body)

        answer = send(SECRET, body, key="msg_1", at=stamp, signature=f"v1,AAAA {good}", family="webhook")

        assert status_of(answer) == "processed"

    def test_by_either_secret_of_a_rotation_is_good(self, settings):
        new = signatures.new_secret()
        settings.CLERK_WEBHOOK_SECRET = [new, SECRET]

        assert status_of(tell("user.created", account("user_x", "x@example.org"))) == "processed"
        assert status_of(send(new, {"type": "user.updated", "data": account("user_x", "x@example.org", at=2)}))

    @pytest.mark.parametrize("secrets", [[], ["whsec_nonsense!"]])
    def test_cannot_be_judged_without_a_usable_secret(self, settings, secrets):
        settings.CLERK_WEBHOOK_SECRET = secrets

        answer = tell("user.created", account("user_x", "x@example.org"))

        assert (answer.status, answer.code) == (503, "unavailable")
        assert answer.headers["Retry-After"]


class TestTheBody:
    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff", b"null"])
    def test_that_is_no_json_object_is_malformed_once_its_signature_is_good(self, body):
        assert (send(SECRET, body).status, send(SECRET, body, signature="v1,AAAA").status) == (400, 401)

    def test_may_have_a_quarter_of_a_mebibyte(self):
        padding = {"unsafe_metadata": {"text": "x" * (255 * 1024)}}
        largest = account("user_x", "x@example.org", **padding)

        assert status_of(tell("user.created", largest)) == "processed"
        assert tell("user.updated", {**largest, "more": "x" * 2048}).status == 413

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"id": None}, "data.id"),
            ({"id": ""}, "data.id"),
            ({"id": 5}, "data.id"),
            ({"primary_email_address_id": None}, "data.primary_email_address_id"),
            ({"primary_email_address_id": "e9"}, "data.primary_email_address_id"),
            ({"email_addresses": []}, "data.primary_email_address_id"),
            ({"email_addresses": "x"}, "data.primary_email_address_id"),
            ({"email_addresses": [{"id": "e1", "email_address": "nobody"}]}, "data.email_addresses"),
            ({"email_addresses": [{"id": "e1"}]}, "data.email_addresses"),
            ({"updated_at": "yesterday"}, "data.updated_at"),
            ({"updated_at": 10**17}, "data.updated_at"),
        ],
    )
    def test_of_a_known_type_needs_an_id_and_a_primary_email(self, change, field):
        answer = tell("user.updated", {**account("user_x", "x@example.org"), **change})

        assert list(answer.fields) == [field]
        assert not IdentityEvent.objects.exists()

    @pytest.mark.parametrize("data", [None, [], "x", 5])
    def test_of_a_known_type_needs_data(self, data):
        for kind in ("user.created", "user.updated", "user.deleted"):
            assert list(tell(kind, data).fields) == ["data.id"]

    def test_of_an_unknown_type_is_ignored(self):
        assert status_of(tell("session.created", {"id": "sess_1"})) == "ignored"
        assert IdentityEvent.objects.get().outcome == "ignored"

    def test_with_odd_values_never_breaks_the_server(self):
        odd = account("user_x", "x@example.org", first_name=["a"], last_name={"b": 1}, username=7)

        assert status_of(tell("user.created", odd)) == "processed"
        assert User.objects.get().name == "x"
        assert tell("user.created", {**odd, "id": "user_y", "first_name": "a\x00b"}).status == 422

    def test_too_long_is_cut_to_what_a_user_holds(self):
        long = account("user_x", "x@example.org", first_name="A" * 300, username="u" * 300)

        assert status_of(tell("user.created", long)) == "processed"
        assert (len(User.objects.get().name), len(User.objects.get().username)) == (200, 150)


class TestAnEvent:
    def test_counts_once(self):
        first = tell("user.created", account("user_x", "x@example.org", "Xenia Pop"), key="msg_1")
        again = tell("user.created", account("user_x", "x@example.org", "Xenia Rus", at=5), key="msg_1")

        assert (status_of(first), status_of(again)) == ("processed", "duplicate")
        assert User.objects.get().name == "Xenia Pop"

    def test_that_is_older_than_what_is_known_is_ignored(self):
        tell("user.created", account("user_x", "x@example.org", "Old Name", at=1))

        newer = tell("user.updated", account("user_x", "x2@example.org", "New Name", at=9, username="xx"))
        older = tell("user.updated", account("user_x", "x@example.org", "Old Name", at=5))
        same = tell("user.updated", account("user_x", "x@example.org", "Old Name", at=9))

        assert [status_of(answer) for answer in (newer, older, same)] == ["processed", "ignored", "ignored"]
        user = User.objects.get()
        assert (user.name, user.email, user.username) == ("New Name", "x2@example.org", "xx")

    def test_of_a_change_makes_the_user_where_the_creation_was_lost(self):
        assert status_of(tell("user.updated", account("user_x", "x@example.org", verified=False))) == "processed"
        assert User.objects.get().confirmed is False

    def test_is_audited_as_the_systems(self):
        tell("user.created", account("user_x", "x@example.org"))

        with across_organizations(reason="test", actor=make.SYSTEM):
            entry = AuditEntry.objects.get(entity_type="user", action="CREATE")
        assert (entry.actor_type, entry.actor_id, entry.source) == ("system", "identity", "api")
        assert (entry.method, entry.path) == ("POST", "/webhooks/clerk")

    def test_with_the_email_of_another_account_conflicts_and_is_logged(self, caplog):
        tell("user.created", account("user_x", "x@example.org", "First"))

        with caplog.at_level(logging.ERROR):
            answer = tell("user.created", account("user_y", "X@Example.org", "Second"))

        assert status_of(answer) == "conflict"
        assert "x@example.org" not in caplog.text
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert [user.name for user in User.objects.all()] == ["First"]

    def test_that_moves_an_account_to_anothers_email_conflicts(self):
        tell("user.created", account("user_x", "x@example.org"))
        tell("user.created", account("user_y", "y@example.org", "Second"))

        assert status_of(tell("user.updated", account("user_y", "x@example.org", "Thief", at=9))) == "conflict"
        assert User.objects.get(clerk_user_id="user_y").name == "Second"


class TestSomebodyMadeAhead:
    @pytest.fixture
    def boss(self):
        return make.user("The Boss", email="boss@x.example", clerk_user_id=None, confirmed=False, is_superadmin=True)

    def test_is_not_taken_over_by_an_unproven_email(self, boss, api):
        answer = tell("user.created", account("user_thief", "boss@x.example", "Thief", verified=False))

        assert status_of(answer) == "conflict"
        boss.refresh_from_db()
        assert (boss.clerk_user_id, boss.name) == (None, "The Boss")
        refused = api(User(clerk_user_id="user_thief")).get("/v1/me")
        assert (refused.status, refused.details) == (401, {"reason": "user_not_provisioned"})

    def test_is_linked_by_a_verified_email(self, boss, api):
        assert status_of(tell("user.created", account("user_boss", "Boss@X.example", "Real Boss"))) == "processed"

        boss.refresh_from_db()
        assert (boss.clerk_user_id, boss.name, boss.confirmed) == ("user_boss", "Real Boss", True)
        assert api(boss).get("/v1/me").data["is_superadmin"] is True


class TestADeletion:
    def test_ends_everything(self, cast, api):
        answer = tell("user.deleted", {"id": cast.vera.user.clerk_user_id, "object": "user", "deleted": True})

        assert status_of(answer) == "processed"
        user = User.objects.get(pk=cast.vera.user.pk)
        assert (user.blocked, user.current_organization_id) == (True, None)
        assert user.deleted_at is not None
        with across_organizations(reason="test", actor=make.SYSTEM):
            assert {row.status for row in Membership.everywhere.filter(user=user)} == {"disabled"}
            audited = AuditEntry.objects.filter(entity_type="membership", actor_id="identity")
            assert {entry.organization_id for entry in audited} == {cast.sud.pk, cast.nord.pk}
        refused = api(cast.vera, cast.sud).get("/v1/me")
        assert (refused.status, refused.details) == (403, {"reason": "user_blocked"})

    def test_is_final_for_a_late_creation_or_change(self, cast):
        key = cast.ana.user.clerk_user_id
        tell("user.deleted", {"id": key})

        for kind in ("user.created", "user.updated"):
            assert status_of(tell(kind, account(key, "ana.pop@example.org", at=10**9))) == "ignored"
        assert status_of(tell("user.deleted", {"id": key})) == "ignored"

    def test_of_somebody_unknown_is_final_as_well(self):
        assert status_of(tell("user.deleted", {"id": "user_x", "deleted": True})) == "processed"
        assert status_of(tell("user.created", account("user_x", "x@example.org"))) == "ignored"
        assert not User.objects.exists()

    def test_frees_the_email(self, cast):
        tell("user.deleted", {"id": cast.ana.user.clerk_user_id})

        assert status_of(tell("user.created", account("user_new", "ana.pop@example.org", "Ana Nouă"))) == "processed"
        assert User.objects.filter(email="ana.pop@example.org").count() == 2


class TestTheInbox:
    def test_forgets_after_thirty_days_but_never_a_deletion(self):
        tell("user.created", account("user_x", "x@example.org"), key="msg_old")
        tell("user.deleted", {"id": "user_y"}, key="msg_gone")
        IdentityEvent.objects.update(received_at=clock.now() - arrivals.KEPT)
        tell("session.created", {}, key="msg_new")

        assert arrivals.purge() == 1
        assert {event.svix_id for event in IdentityEvent.objects.all()} == {"msg_gone", "msg_new"}
