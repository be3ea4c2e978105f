"""Losing a role, a membership or the account takes effect with the next request. Contract scenarios 2, 4 and 9."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.organizations.models import Membership, User
from restartix.kernel.signatures import new_secret
from tests.client import forget_settings
from tests.make.organizations import within
from tests.organizations.provider import account, send

PASSWORD = "correct horse battery"


def membership_path(clinic, person):
    with within(clinic):
        key = Membership.objects.get(user=person.user).pk
    return f"/v1/organizations/{clinic.pk}/members/{key}"


@pytest.fixture
def session(cast, settings):
    """A session of the back office that stays open."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    def of(person) -> Client:
        person.user.set_password(PASSWORD)
        person.user.save(update_fields=["password"])
        client = Client(headers={"accept-language": "en"})
        assert client.post("/admin/login/", {"username": person.user.email, "password": PASSWORD}).status_code == 302
        forget_settings()
        return client

    return of


def status_of(client: Client, path: str) -> int:
    status = client.get(path).status_code
    forget_settings()
    return status


class TestOverTheApi:
    def test_a_disabled_member_is_out_at_once(self, cast, api):
        assert api(cast.ana).get("/v1/me").data["current_organization"]["id"] == cast.sud.pk

        api(cast.ion).patch(membership_path(cast.sud, cast.ana), {"status": "disabled"})

        assert api(cast.ana, cast.sud).get("/v1/appointments").status == 403
        without = api(cast.ana).get("/v1/appointments")
        assert (without.status, without.code) == (400, "organization_required")
        me = api(cast.ana).get("/v1/me")
        assert (me.status, me.data["current_organization"], me.data["role"]) == (200, None, None)
        assert me.data["organization_ids"] == []

    def test_a_lost_role_opens_nothing_any_more(self, cast, api):
        path = f"/v1/organizations/{cast.sud.pk}"
        assert api(cast.vera).patch(path, {"tagline": "one"}).status == 200

        api(cast.ion).patch(membership_path(cast.sud, cast.vera), {"role": "specialist"})

        assert api(cast.vera).patch(path, {"tagline": "two"}).status == 403
        assert api(cast.vera, cast.nord).patch(f"/v1/organizations/{cast.nord.pk}", {"tagline": "x"}).status == 200

    def test_a_lost_superadmin_flag_counts_as_none(self, cast, api):
        assert api(cast.root).get("/v1/users").status == 200
        User.objects.filter(pk=cast.root.user.pk).update(is_superadmin=False)

        assert api(cast.root).get("/v1/users").status == 403

    def test_a_blocked_user_gets_the_same_refusal_everywhere(self, cast, api):
        api(cast.root).patch(f"/v1/users/{cast.ion.user.pk}", {"blocked": True})

        for method, path in [
            ("GET", "/v1/me"),
            ("GET", "/v1/organizations"),
            ("GET", f"/v1/organizations/{cast.sud.pk}"),
            ("GET", "/v1/appointments"),
            ("PUT", "/v1/me/switch-organization"),
            ("GET", f"/v1/public/organizations/resolve?slug={cast.sud.slug}"),
        ]:
            answer = api(cast.ion)(method, path)
            assert (answer.status, answer.code, answer.details) == (403, "forbidden", {"reason": "user_blocked"}), path


class TestInTheBackOffice:
    PAGE = "/admin/organizations/membership/"

    def test_an_open_session_ends_with_the_block(self, cast, api, session):
        client = session(cast.ion)
        assert status_of(client, self.PAGE) == 200

        api(cast.root).patch(f"/v1/users/{cast.ion.user.pk}", {"blocked": True})

        assert status_of(client, self.PAGE) == 302
        assert status_of(client, "/admin/") == 302

    def test_an_open_session_ends_with_the_membership(self, cast, api, session):
        client = session(cast.mara)
        assert status_of(client, self.PAGE) == 200

        api(cast.ion).patch(membership_path(cast.sud, cast.mara), {"status": "disabled"})

        assert status_of(client, self.PAGE) == 302

    def test_an_open_session_goes_on_with_what_the_new_role_may(self, cast, api, session):
        client = session(cast.vera)
        client.post("/admin/workplace/", {"workplace": cast.sud.pk})
        forget_settings()
        assert status_of(client, f"{self.PAGE}add/") == 200

        api(cast.ion).patch(membership_path(cast.sud, cast.vera), {"role": "customer_support"})

        assert status_of(client, f"{self.PAGE}add/") == 403
        assert status_of(client, self.PAGE) == 200

    def test_an_open_session_ends_with_the_account(self, cast, session, settings):
        settings.CLERK_WEBHOOK_SECRET = [new_secret()]
        client = session(cast.ion)
        assert status_of(client, self.PAGE) == 200

        send(settings.CLERK_WEBHOOK_SECRET[0], {"type": "user.deleted", "data": {"id": cast.ion.user.clerk_user_id}})

        assert status_of(client, self.PAGE) == 302

    def test_a_superadmins_session_ends_with_the_flag(self, cast, session):
        client = session(cast.root)
        assert status_of(client, "/admin/organizations/user/") == 200
        User.objects.filter(pk=cast.root.user.pk).update(is_superadmin=False)

        assert status_of(client, "/admin/organizations/user/") == 302


def test_a_prepared_superadmin_is_not_taken_over(db, api, settings):
    """Scenario 4, with the command."""
    from io import StringIO

    from django.core.management import call_command

    settings.CLERK_WEBHOOK_SECRET = [new_secret()]
    call_command("create_user", "--email", "boss@x.example", "--name", "Boss", "--superadmin", stdout=StringIO())
    forget_settings()

    def told(**how):
        event = {"type": "user.created", "data": account("user_boss", "boss@x.example", "Boss", **how)}
        return send(settings.CLERK_WEBHOOK_SECRET[0], event).data["status"]

    assert told(verified=False) == "conflict"
    assert api(User(clerk_user_id="user_boss")).get("/v1/me").status == 401
    assert told() == "processed"
    assert api(User(clerk_user_id="user_boss")).get("/v1/me").data["role"] == "superadmin"
