"""Session tokens: RS256 and nothing else, by the keys of the issuers that this server trusts.

Clerk is the issuer where its settings are given; otherwise, with DEBUG on (setting DEVELOPMENT_ISSUER), a development
issuer whose key pair lies in the data folder signs the same kind of token. Whatever is wrong with a token, the refusal
is the same.
Source: contract/conventions.md, "Who is calling"; RFC 8725 (best current practices of JSON Web Tokens).
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from restartix import development
from restartix.kernel.jwks import FixedKey, Keys, PublishedKeys

ALGORITHM = "RS256"
LEEWAY_SECONDS = 60
LONGEST_TOKEN = 8192
LONGEST_SUBJECT = 255
DEVELOPMENT_ISSUER = development.ISSUER
DEVELOPMENT_KEY_FILE = "development-issuer.pem"
DEVELOPMENT_KEY_ID = "development"
_REMEMBERED = 4096


class BadToken(Exception):
    """The token does not prove anything; why is told to nobody but the log."""


class ExpiredToken(BadToken):
    """The token proved something until its time ran out; `kind` is that of its issuer."""

    def __init__(self, kind: str) -> None:
        """Remember the kind: of an impersonation the caller is told that it is over."""
        super().__init__("expired")
        self.kind = kind


@dataclass(frozen=True)
class Issuer:
    """Somebody whose tokens are believed, and under which conditions."""

    name: str
    keys: Keys
    kind: str = "session"
    authorized_parties: Collection[str] = ()
    leeway_seconds: int = LEEWAY_SECONDS


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A session token whose signature, times, issuer and party have been checked."""

    #: The user, by the issuer's name for them.
    subject: str
    #: "session" (Clerk or the development issuer) or "impersonation" (this server's own, with `act`, `imp`, `org`).
    kind: str = "session"
    claims: Mapping[str, Any] = field(default_factory=dict)

    @property
    def caller(self) -> str:
        """Whose requests are counted and repeated together: the subject's, apart from who acts as the subject."""
        return self.subject if self.kind == "session" else f"{self.kind}:{self.claims.get('imp')}"


class Verifier:
    """Checks tokens against a set of issuers, and remembers signatures that were good until the token expires."""

    def __init__(self, issuers: Collection[Issuer]) -> None:
        """Believe `issuers`."""
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._known: OrderedDict[bytes, tuple[str, Mapping[str, Any]]] = OrderedDict()
        self._lock = Lock()

    def verify(self, token: str) -> VerifiedToken:
        """Return what `token` proves. Raises BadToken if that is nothing, KeysUnavailable if it cannot be told."""
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise BadToken("not a token")
        digest = hashlib.sha256(token.encode()).digest()
        remembered = self._known.get(digest)
        name, claims = remembered or self._prove(token)
        issuer = self._issuers[name]
        check_claims(claims, issuer, now=time.time())
        if remembered is None:
            self._remember(digest, name, claims)
        return VerifiedToken(claims["sub"], issuer.kind, claims)

    def _prove(self, token: str) -> tuple[str, Mapping[str, Any]]:
        """Check the signature. The algorithm is judged before any key is looked at; `jku`, `x5u`, `jwk` are ignored."""
        try:
            parsed = jwt.decode_complete(token, options={"verify_signature": False})
            header, claims = parsed["header"], parsed["payload"]
            if header.get("alg") != ALGORITHM or "crit" in header or header.get("typ", "JWT") != "JWT":
                raise BadToken("not RS256")
            issuer = self._issuers[claims["iss"]]
            key = issuer.keys.find(header.get("kid"))
            if key is None:
                raise BadToken("unknown key")
            proven = jwt.decode(token, key, algorithms=[ALGORITHM], options=_SIGNATURE_ONLY)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise BadToken(str(error)) from error
        return issuer.name, proven

    def _remember(self, digest: bytes, name: str, claims: Mapping[str, Any]) -> None:
        with self._lock:
            self._known[digest] = (name, claims)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


_SIGNATURE_ONLY: Any = {
    "verify_signature": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False,
    "verify_iss": False, "verify_sub": False, "verify_jti": False,
}  # fmt: skip


def check_claims(claims: Mapping[str, Any], issuer: Issuer, *, now: float) -> None:
    """Judge times (with leeway), subject, issuer and authorised party. Raises BadToken."""
    expires, not_before = _moment(claims, "exp"), _moment(claims, "nbf", default=0.0)
    if not not_before <= now + issuer.leeway_seconds:
        raise BadToken("not yet valid")
    if not now < expires + issuer.leeway_seconds:
        raise ExpiredToken(issuer.kind)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise BadToken("no subject")
    if claims.get("iss") != issuer.name:
        raise BadToken("another issuer")
    party = claims.get("azp")
    parties = issuer.authorized_parties
    if party is not None and parties and not (isinstance(party, str) and party in parties):
        raise BadToken("another party")


def _moment(claims: Mapping[str, Any], name: str, *, default: float | None = None) -> float:
    """Return a time claim as seconds; texts, booleans, infinities and absent ones are refused."""
    value = claims.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise BadToken(f"{name} is not a moment")
    return float(value)


@cache
def verifier() -> Verifier:
    """Return the verifier of this process: Clerk's where it is configured, else the development issuer's.

    Beside it stand this server's own issuers, which the setting `RESTARTIX_ISSUERS` names. Raises ImproperlyConfigured
    without Clerk settings while DEBUG is off.
    """
    return Verifier([session_issuer(), *(import_string(path)() for path in settings.RESTARTIX_ISSUERS)])


def session_issuer() -> Issuer:
    """Return who signs session tokens, by the settings."""
    if settings.CLERK_JWT_KEY or settings.CLERK_JWKS_URL:
        return Issuer(
            name=settings.CLERK_ISSUER or _origin_of(settings.CLERK_JWKS_URL),
            keys=FixedKey(settings.CLERK_JWT_KEY) if settings.CLERK_JWT_KEY else PublishedKeys(settings.CLERK_JWKS_URL),
            authorized_parties=frozenset(settings.CLERK_AUTHORIZED_PARTIES),
        )
    if not settings.DEVELOPMENT_ISSUER:
        raise ImproperlyConfigured("CLERK_JWKS_URL or CLERK_JWT_KEY is required when DEBUG is off.")
    public = development_key().public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return Issuer(name=DEVELOPMENT_ISSUER, keys=FixedKey(pem.decode()))


def _origin_of(url: str) -> str:
    if not url:
        raise ImproperlyConfigured("CLERK_ISSUER is required beside CLERK_JWT_KEY.")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def development_key() -> rsa.RSAPrivateKey:
    """Return the development issuer's key, made at first use in the data folder, readable by its owner only.

    Two processes that start at once agree on one key: it is written aside and linked into place.
    """
    path = Path(settings.DATA_DIR) / DEVELOPMENT_KEY_FILE
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
        aside = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(_new_key_pem())
        with suppress(FileExistsError):
            path.hardlink_to(aside)
        aside.unlink()
    key = _parsed(path.read_bytes())
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ImproperlyConfigured(f"{path} does not hold an RSA key.")
    return key


@cache
def _parsed(pem: bytes) -> Any:
    """Read a key once: checking that it is one costs 35 ms."""
    return serialization.load_pem_private_key(pem, password=None)


def _new_key_pem() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def issue_development_token(subject: str, *, hours: float = 1, claims: Mapping[str, Any] | None = None) -> str:
    """Sign a session token for `subject`, valid from now for `hours`.

    Raises ImproperlyConfigured when DEBUG is off or Clerk is configured: then nobody would believe it.
    """
    if not settings.DEVELOPMENT_ISSUER:
        raise ImproperlyConfigured("Development tokens need DEBUG on and no Clerk settings.")
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + int(hours * 3600)}
    payload = {"iss": DEVELOPMENT_ISSUER, "sub": subject, **times, **(claims or {})}
    return jwt.encode(payload, development_key(), algorithm=ALGORITHM, headers={"kid": DEVELOPMENT_KEY_ID})
