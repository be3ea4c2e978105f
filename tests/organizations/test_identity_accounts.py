"""A login for somebody who has none: made at the identity provider and here, or nowhere."""

from __future__ import annotations

import time

import pytest

from apps.organizations.models import User
from apps.organizations.services import accounts, arrivals
from restartix.kernel import tokens
from restartix.kernel.errors import AlreadyTaken, Invalid, Unavailable
from tests.client import Api
from tests.make import organizations as make
from tests.make.organizations import SYSTEM
from tests.organizations.provider import SECRET_KEY, Provider, account

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(settings):
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
    settings.CLERK_WEBHOOK_SECRET, settings.DEVELOPMENT_ISSUER = [provider.secret], False
    tokens.verifier.cache_clear()
    yield provider
    tokens.verifier.cache_clear()
    provider.close()


def create(email="Ana@Example.org", name="Ana Maria Pop"):
    return accounts.create_account(email=email, name=name, by=SYSTEM)


class TestAtTheProvider:
    def test_an_account_is_made_and_its_token_opens_the_door(self, clerk):
        user = create()

        assert (user.email, user.name, user.confirmed) == ("ana@example.org", "Ana Maria Pop", True)
        assert [(method, path) for method, path, _ in clerk.calls] == [("POST", "/users")]
        assert clerk.calls[0][2] == {
            "email_address": ["ana@example.org"],
            "first_name": "Ana Maria",
            "last_name": "Pop",
            "skip_password_requirement": True,
        }
        assert Api(clerk.token(user.clerk_user_id)).get("/v1/me").data["id"] == user.pk

    def test_the_event_that_follows_changes_nothing(self, clerk):
        user = create()

        assert clerk.tell("user.created", clerk.accounts[0]).data == {"status": "ignored"}
        assert User.objects.get().clerk_user_id == user.clerk_user_id

    def test_nobody_is_asked_about_a_user_who_is_known(self, clerk):
        known = make.user("Ana Pop", email="ana@example.org")

        assert create() == known
        assert clerk.calls == []

    def test_somebody_made_ahead_gets_the_account(self, clerk):
        known = make.user("Ana Pop", email="ana@example.org", clerk_user_id=None, confirmed=False)

        user = create()

        assert user.pk == known.pk
        assert (user.clerk_user_id, user.confirmed) == (clerk.accounts[0]["id"], True)

    def test_an_account_that_exists_there_is_linked(self, clerk):
        clerk.accounts = [account("user_there", "ana@example.org", "Ana Ionescu")]

        user = create()

        assert (user.clerk_user_id, user.name) == ("user_there", "Ana Ionescu")
        assert [method for method, _, _ in clerk.calls] == ["POST", "GET"]

    def test_an_account_that_exists_there_without_proof_is_not(self, clerk):
        clerk.accounts = [account("user_thief", "ana@example.org", verified=False)]

        with pytest.raises(AlreadyTaken):
            create()
        assert not User.objects.exists()

    def test_an_account_known_here_by_another_email_is_that_persons(self, clerk):
        known = make.user("Ana Pop", email="new.ana@example.org", clerk_user_id="user_there")
        clerk.accounts = [account("user_there", "new.ana@example.org")]
        clerk.accounts[0]["email_addresses"][0]["email_address"] = "ana@example.org"

        assert create() == known

    @pytest.mark.parametrize("state", [{"blocked": True}, {"blocked": True, "clerk_user_id": None}])
    def test_a_blocked_person_gets_none(self, clerk, state):
        make.user("Ana Pop", email="ana@example.org", **state)

        with pytest.raises(AlreadyTaken):
            create()
        assert clerk.calls == []

    def test_an_email_that_the_provider_refuses_is_invalid(self, clerk):
        clerk.failing = 422
        clerk.error = {"code": "form_param_format_invalid", "meta": {"param_name": "email_address"}}

        with pytest.raises(Invalid) as refused:
            create()
        assert list(refused.value.fields) == ["email"]

    @pytest.mark.parametrize("email", ["", "ana", "ana@"])
    def test_what_is_no_email_is_never_sent(self, clerk, email):
        with pytest.raises(Invalid):
            create(email)
        assert clerk.calls == []


class TestWhileTheProviderIsDown:
    @pytest.fixture(params=["401", "404", "422", "429", "500", "503", "nonsense", "nowhere", "no key", "redirect"])
    def down(self, request, clerk, settings):
        if request.param == "nowhere":
            settings.CLERK_API_URL = "http://127.0.0.1:9"
        elif request.param == "no key":
            settings.CLERK_SECRET_KEY = ""
        elif request.param == "nonsense":
            clerk._api = lambda *_: (200, ["not", "an", "account"])
        else:
            clerk.failing = 302 if request.param == "redirect" else int(request.param)
            clerk.error = {"code": "phone_number_required", "meta": {"param_name": "phone_number"}}

    def test_nothing_is_made_and_one_is_told_when_to_try_again(self, down):
        with pytest.raises(Unavailable) as refused:
            create()

        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) > 0
        assert not User.objects.exists()

    def test_a_slow_answer_is_not_waited_for(self, clerk):
        clerk.delay_seconds = 6
        started = time.monotonic()

        with pytest.raises(Unavailable):
            create()
        assert time.monotonic() - started < 5

    def test_its_key_is_in_no_log(self, clerk, caplog):
        clerk.failing = 401

        with pytest.raises(Unavailable):
            create()
        assert "401" in caplog.text
        assert SECRET_KEY not in caplog.text


class TestInDevelopment:
    def test_the_stand_in_makes_a_user_whom_tokens_know(self, api):
        user = create()

        assert user.clerk_user_id == f"dev_{user.pk}"
        assert api(user).get("/v1/me").data["email"] == "ana@example.org"
        assert create() == user

    def test_it_knows_somebody_made_ahead_likewise(self):
        known = make.user("Ana Pop", email="ana@example.org", clerk_user_id=None)

        assert create().pk == known.pk
        assert User.objects.get().clerk_user_id == f"dev_{known.pk}"


def test_the_actor_of_the_inbox_has_the_contracts_name():
    assert (arrivals.ACTOR.kind, arrivals.ACTOR.id) == ("system", "identity")
