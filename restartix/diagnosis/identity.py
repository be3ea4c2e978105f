"""The identity provider: whose tokens are believed, whether its events can be checked, whether accounts can be made."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from restartix.diagnosis.findings import Finding, State
from restartix.environment import env
from restartix.kernel import clerk, signatures
from restartix.kernel.errors import Unavailable
from restartix.kernel.jwks import KeysUnavailable, PublishedKeys
from restartix.kernel.tokens import session_issuer

_PAGE = "docs/operate/clerk.md"
#: An address that nobody has (RFC 2606): asking for it tells whether asking works.
_NOBODY = "doctor@restartix.invalid"


def examine() -> Iterator[Finding]:
    """Look at the issuer of session tokens, the secret of its events and the key of its API."""
    yield _tokens()
    yield _events()
    yield _accounts()


def _tokens() -> Finding:
    if settings.DEVELOPMENT_ISSUER:
        return Finding("token issuer", State.OK, f"{env.clerk_issuer}: the development issuer stands in")
    mend = f"Set CLERK_JWKS_URL (or CLERK_JWT_KEY) and CLERK_ISSUER; see {_PAGE}."
    try:
        issuer = session_issuer()
        if isinstance(issuer.keys, PublishedKeys):
            issuer.keys.find("doctor")
    except (ImproperlyConfigured, KeysUnavailable, ValueError, TypeError) as error:
        return Finding("token issuer", State.FAILED, f"{type(error).__name__}: {error}", mend)
    parties = ", ".join(sorted(issuer.authorized_parties)) or "any party"
    return Finding("token issuer", State.OK, f"{issuer.name}, its keys are here, for {parties}")


def _events() -> Finding:
    secrets = settings.CLERK_WEBHOOK_SECRET
    mend = f"Set CLERK_WEBHOOK_SECRET to the signing secret (`whsec_...`) of the endpoint at Clerk; see {_PAGE}."
    if not secrets:
        return Finding("identity events", State.ABSENT, "/webhooks/clerk refuses everything", mend)
    try:
        for secret in secrets:
            signatures.sign(secret, message_id="doctor", timestamp=0, body=b"")
    except signatures.BadSecret as error:
        return Finding("identity events", State.FAILED, str(error), mend)
    return Finding("identity events", State.OK, f"/webhooks/clerk, signed with {len(secrets)} secret(s)")


def _accounts() -> Finding:
    if settings.DEVELOPMENT_ISSUER:
        return Finding("identity accounts", State.OK, "the development stand-in makes them")
    mend = f"Set CLERK_SECRET_KEY (`sk_...`); without it no clinic can make accounts for patients. See {_PAGE}."
    if not clerk.is_configured():
        return Finding("identity accounts", State.ABSENT, "no key", mend)
    try:
        clerk.accounts_with(_NOBODY)
    except Unavailable as error:
        return Finding("identity accounts", State.FAILED, f"{settings.CLERK_API_URL}: {error.message}", mend)
    return Finding("identity accounts", State.OK, f"{settings.CLERK_API_URL} answers")
