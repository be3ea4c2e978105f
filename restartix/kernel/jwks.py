"""Public keys of token issuers: a fixed one, or a published set that is fetched rarely and kept when fetching fails.

Nobody can make the server fetch on demand: an unknown key id causes at most one fetch a minute, in the background.
Source: contract/conventions.md, "Who is calling"; RFC 7517.
"""

from __future__ import annotations

import json
import logging
import threading
import time
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

logger = logging.getLogger(__name__)

#: For connecting, and for each wait for the next bytes; the whole fetch is given the deadline.
FETCH_TIMEOUT_SECONDS = 5
DEADLINE_SECONDS = 15
#: A request waits for a fetch at most so long.
PATIENCE_SECONDS = 2
LARGEST_SET_BYTES = 256 * 1024
REFRESH_SECONDS = 300
REFETCH_SECONDS = 60
RETRY_SECONDS = 5
_CHUNK_BYTES = 64 * 1024
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

    Every fetch runs in a thread of its own, one at a time: at once, again when the set is older than 5 minutes, and
    when an unknown key id turns up, but for that reason at most once a minute; only the request that takes this turn
    waits for it, and not for long. The last good set is kept for as long as fetching fails.
    """

    def __init__(self, url: str) -> None:
        """Begin to fetch from `url`, so that the first request finds the keys there."""
        self._url = url
        self._keys: dict[str, RSAPublicKey] = {}
        self._fetched_at = self._tried_at = self._turn_at = float("-inf")
        self._lock = threading.Lock()
        self._running: threading.Event | None = None
        self._begin()

    def find(self, key_id: str | None) -> RSAPublicKey | None:
        """Return the key called `key_id`; tokens without one match a set of a single key.

        Raises KeysUnavailable if no set has ever been fetched and none comes within 2 seconds.
        """
        if not self._keys:
            self._wait_for_first()
        key = self._named(key_id)
        if key is None and key_id is not None and self._takes_turn():
            self._begin().wait(PATIENCE_SECONDS)
            key = self._named(key_id)
        elif self._is_stale():
            self._begin()
        return key

    def _named(self, key_id: str | None) -> RSAPublicKey | None:
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _wait_for_first(self) -> None:
        """Wait for the first set; after a failure nobody waits, and somebody tries again, every few seconds."""
        failed_just_now = self._running is None and time.monotonic() - self._tried_at < RETRY_SECONDS
        if not failed_just_now:
            self._begin().wait(PATIENCE_SECONDS)
        if not self._keys:
            raise KeysUnavailable(self._url)

    def _takes_turn(self) -> bool:
        """Take the one turn of this minute."""
        with self._lock:
            now = time.monotonic()
            if now - self._turn_at < REFETCH_SECONDS:
                return False
            self._turn_at = now
            return True

    def _is_stale(self) -> bool:
        now = time.monotonic()
        return now - self._fetched_at > REFRESH_SECONDS and now - self._tried_at > REFETCH_SECONDS

    def _begin(self) -> threading.Event:
        """Fetch in the background, unless that is going on already; return what is set at its end."""
        with self._lock:
            if self._running is None:
                self._running = threading.Event()
                threading.Thread(target=self._fetch, args=[self._running], name="jwks", daemon=True).start()
            return self._running

    def _fetch(self, done: threading.Event) -> None:
        try:
            keys = read_key_set(_download(self._url))
            if keys:
                self._keys, self._fetched_at = keys, time.monotonic()
            else:
                logger.warning("the key set at %s holds no usable key", self._url)
        except (OSError, ValueError, HTTPException) as error:
            logger.warning("the key set at %s could not be fetched: %s", self._url, error)
        finally:
            with self._lock:
                self._tried_at, self._running = time.monotonic(), None
            done.set()


def _download(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise ValueError("a key set is fetched over http or https")
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "RestartiX"})  # noqa: S310 (checked above)
    ends, body = time.monotonic() + DEADLINE_SECONDS, b""
    with urllib.request.urlopen(request, timeout=FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 (checked above)
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > LARGEST_SET_BYTES:
                raise ValueError("the key set is too large")
            if time.monotonic() > ends:
                raise TimeoutError("the key set arrives too slowly")
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
