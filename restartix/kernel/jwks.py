"""Public keys of token issuers: a fixed one, or a published set that is fetched rarely and kept when fetching fails.

Nobody can make the server fetch on demand: an unknown key id causes at most one fetch a minute.
Source: contract/conventions.md, "Who is calling"; RFC 7517.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

logger = logging.getLogger(__name__)

FETCH_TIMEOUT_SECONDS = 5
LARGEST_SET_BYTES = 256 * 1024
REFRESH_SECONDS = 300
REFETCH_SECONDS = 60
SMALLEST_KEY_BITS = 2048


class KeysUnavailable(Exception):
    """No key set has been fetched yet, and fetching one fails."""


class Keys(Protocol):
    """Where the public keys of one issuer come from."""

    def find(self, key_id: str | None) -> RSAPublicKey | None:
        """Return the key called `key_id`, None if the issuer has no such key. Raises KeysUnavailable."""
        ...


class FixedKey:
    """One key, given as PEM; it answers to every key id."""

    def __init__(self, pem: str) -> None:
        """Read a public key or a certificate."""
        self._key = _rsa(pem)

    def find(self, key_id: str | None) -> RSAPublicKey | None:
        """Return the key."""
        return self._key


def _rsa(pem: str) -> RSAPublicKey:
    text = pem.replace("\\n", "\n").strip().encode()
    key = load_pem_x509_certificate(text).public_key() if b"CERTIFICATE" in text else load_pem_public_key(text)
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an RSA public key is expected")
    return key


class PublishedKeys:
    """The key set at an address.

    Fetched at first use, again in the background when it is older than 5 minutes, and at once when an unknown key id
    turns up, but then at most once a minute. The last good set is kept for as long as fetching fails.
    """

    def __init__(self, url: str) -> None:
        """Fetch from `url`, later."""
        self._url = url
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> RSAPublicKey | None:
        """Return the key called `key_id`; tokens without one match a set of a single key."""
        if not self._keys:
            self._fetch_first()
        key = self._named(key_id)
        if key is None and key_id is not None and self._may_refetch():
            self._fetch()
            key = self._named(key_id)
        elif time.monotonic() - self._fetched_at > REFRESH_SECONDS and self._may_refetch():
            threading.Thread(target=self._fetch, name="jwks-refresh", daemon=True).start()
        return key

    def _named(self, key_id: str | None) -> RSAPublicKey | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _fetch_first(self) -> None:
        with self._lock:
            if not self._keys and time.monotonic() - self._tried_at > 1:
                self._fetch()
        if not self._keys:
            raise KeysUnavailable(self._url)

    def _may_refetch(self) -> bool:
        """Take the one turn of this minute."""
        with self._lock:
            now = time.monotonic()
            if now - self._tried_at < REFETCH_SECONDS:
                return False
            self._tried_at = now
            return True

    def _fetch(self) -> None:
        self._tried_at = time.monotonic()
        try:
            keys = read_key_set(_download(self._url))
        except (OSError, ValueError) as error:
            logger.warning("the key set at %s could not be fetched: %s", self._url, error)
            return
        if keys:
            self._keys, self._fetched_at = keys, time.monotonic()


def _download(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise ValueError("a key set is fetched over http or https")
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "RestartiX"})  # noqa: S310 (checked above)
    with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 (checked above)
        body: bytes = response.read(LARGEST_SET_BYTES + 1)
    if len(body) > LARGEST_SET_BYTES:
        raise ValueError("the key set is too large")
    return body


def read_key_set(document: bytes) -> dict[str, RSAPublicKey]:
    """Return key id → key of the RSA signing keys in a JWK set; others are left out. Raises ValueError."""
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, Mapping) else None
    if not isinstance(entries, list):
        raise ValueError("not a key set")
    found = {}
    for entry in entries:
        if isinstance(entry, Mapping) and isinstance(entry.get("kid"), str) and (key := _signing_key(entry)):
            found[entry["kid"]] = key
    return found


def _signing_key(entry: Mapping[str, object]) -> RSAPublicKey | None:
    if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") != "RS256":
        return None
    try:
        key = jwt.PyJWK(dict(entry), algorithm="RS256").key
    except jwt.PyJWTError:
        return None
    return key if isinstance(key, RSAPublicKey) and key.key_size >= SMALLEST_KEY_BITS else None
