"""Session tokens of an identity provider on the loopback: keys are fetched rarely, never at a caller's demand."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from restartix.kernel import tokens
from restartix.kernel.jwks import KeysUnavailable, PublishedKeys
from tests.client import Api
from tests.make import organizations as make
from tests.organizations.provider import Provider, account, new_key


@pytest.fixture
def clerk(settings):
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_AUTHORIZED_PARTIES = ["https://app.example"]
    settings.CLERK_WEBHOOK_SECRET, settings.DEVELOPMENT_ISSUER = [provider.secret], False
    tokens.verifier.cache_clear()
    yield provider
    tokens.verifier.cache_clear()
    provider.close()


def keys_of(clerk: Provider) -> PublishedKeys:
    return tokens.session_issuer().keys  # type: ignore[return-value]


def bearer(token: str) -> Api:
    return Api(token)


@pytest.mark.django_db
class TestAPerson:
    def test_is_let_in_once_the_provider_has_told_of_them(self, clerk):
        token = clerk.token("user_ana", azp="https://app.example")
        before = bearer(token).get("/v1/me")
        clerk.tell("user.created", account("user_ana", "ana@example.org", "Ana Pop"))

        after = bearer(token).get("/v1/me")

        assert (before.status, before.code, before.details) == (401, "unauthorized", {"reason": "user_not_provisioned"})
        assert (after.data["email"], after.data["name"]) == ("ana@example.org", "Ana Pop")

    def test_is_refused_alike_whatever_is_wrong_with_the_token(self, clerk):
        make.user("Ana Pop", clerk_user_id="user_ana")
        past = int(time.time()) - 3600
        clerk.keys["other"] = new_key()
        stranger = clerk.keys.pop("other")
        good = clerk.token("user_ana")
        clerk.keys["stranger"] = stranger
        forged = clerk.token("user_ana", key="stranger", kid="k1")
        del clerk.keys["stranger"]
        bad = [
            clerk.token("user_ana", exp=past),
            good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
            forged,
            clerk.token("user_ana", iss="https://evil.example"),
            clerk.token("user_ana", azp="https://evil.example"),
        ]

        answers = [bearer(token).get("/v1/me") for token in bad]

        assert bearer(good).get("/v1/me").status == 200
        assert {answer.status for answer in answers} == {401}
        assert len({(answer.code, answer.error["message"], str(answer.details)) for answer in answers}) == 1


class TestTheKeys:
    def test_survive_a_thousand_unknown_key_ids_with_one_fetch(self, clerk):
        keys = keys_of(clerk)
        assert keys.find("k1") is not None
        before = clerk.key_fetches
        started = time.monotonic()

        with ThreadPoolExecutor(8) as crowd:
            found = list(crowd.map(keys.find, [f"unknown-{number}" for number in range(1000)]))

        assert found == [None] * 1000
        assert clerk.key_fetches - before <= 1
        assert time.monotonic() - started < 5

    def test_are_looked_at_again_at_once_when_a_new_one_is_used(self, clerk):
        keys = keys_of(clerk)
        assert keys.find("k1") is not None
        clerk.keys["k2"] = new_key()

        assert keys.find("k2") is not None
        assert clerk.key_fetches == 2

    def test_that_come_slowly_hold_up_one_request_and_briefly(self, clerk):
        keys = keys_of(clerk)
        assert keys.find("k1") is not None
        clerk.delay_seconds = 4
        waited = []

        def ask(number: int) -> None:
            started = time.monotonic()
            assert keys.find(f"unknown-{number}") is None
            waited.append(time.monotonic() - started)

        crowd = [threading.Thread(target=ask, args=[number]) for number in range(20)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()

        assert sorted(waited)[-2] < 1
        assert max(waited) < 3
        started = time.monotonic()
        assert keys.find("k1") is not None
        assert time.monotonic() - started < 0.5

    def test_stay_good_while_the_provider_is_down(self, clerk):
        keys = keys_of(clerk)
        assert keys.find("k1") is not None
        clerk.failing = 503
        keys._fetched_at = keys._tried_at = time.monotonic() - 10_000

        assert keys.find("k1") is not None
        assert keys.find("unknown") is None
        assert keys.find("k1") is not None

    def test_that_were_never_had_are_tried_for_every_few_seconds_and_nobody_waits_meanwhile(self, clerk):
        clerk.failing = 503
        keys = keys_of(clerk)
        with pytest.raises(KeysUnavailable):
            keys.find("k1")
        started = time.monotonic()
        for _ in range(50):
            with pytest.raises(KeysUnavailable):
                keys.find("k1")

        assert time.monotonic() - started < 1
        assert clerk.key_fetches == 1
        clerk.failing = 0
        keys._tried_at -= 6
        assert keys.find("k1") is not None

    def test_are_begun_to_be_fetched_before_anybody_asks(self, clerk):
        tokens.verifier()
        for _ in range(100):
            if clerk.key_fetches:
                break
            time.sleep(0.02)

        assert clerk.key_fetches == 1
