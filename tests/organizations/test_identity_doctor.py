"""What the doctor says of the identity provider."""

from __future__ import annotations

import pytest

from restartix.diagnosis import identity
from restartix.diagnosis.findings import State
from restartix.kernel.signatures import new_secret
from tests.organizations.provider import SECRET_KEY, Provider


@pytest.fixture
def clerk(settings):
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
    settings.CLERK_WEBHOOK_SECRET, settings.DEVELOPMENT_ISSUER = [provider.secret, new_secret()], False
    yield provider
    provider.close()


def states():
    return {finding.name: finding.state for finding in identity.examine()}


def test_all_is_well_with_everything_set(clerk):
    assert set(states().values()) == {State.OK}


def test_all_is_well_in_development():
    assert set(states().values()) == {State.OK}


def test_what_is_down_or_wrong_fails_and_says_how_to_mend_it(clerk, settings):
    clerk.failing = 500
    settings.CLERK_WEBHOOK_SECRET = ["whsec_!"]

    findings = list(identity.examine())

    assert {finding.state for finding in findings} == {State.FAILED}
    assert all("docs/operate/clerk.md" in finding.mend for finding in findings)
    assert SECRET_KEY not in str(findings)


def test_what_may_be_left_out_is_called_absent(clerk, settings):
    settings.CLERK_SECRET_KEY, settings.CLERK_WEBHOOK_SECRET = "", []

    assert states() == {
        "token issuer": State.OK,
        "identity events": State.ABSENT,
        "identity accounts": State.ABSENT,
    }


def test_without_any_issuer_it_fails(settings):
    settings.DEVELOPMENT_ISSUER = False

    assert states()["token issuer"] == State.FAILED
