"""Secrets at rest: sealed columns, keyed hashes, random tokens.

A sealed value is AES-256-GCM: one byte of key version, a 12-byte nonce, the ciphertext with its 16-byte tag. The
associated data bind it to its place, so that a ciphertext copied elsewhere does not open.
Source: contract/organizations.md 1.5; NIST SP 800-38D.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models

NONCE_BYTES = 12


class WrongSeal(ValueError):
    """The value was not sealed for this place, or was altered."""


@cache
def _keys() -> dict[int, AESGCM]:
    """Return the key ring: version → key; `ENCRYPTION_KEYS` lists base64 keys as `version:key`, newest first."""
    ring = {}
    for entry in settings.ENCRYPTION_KEYS:
        version, _, key = entry.partition(":")
        ring[int(version)] = AESGCM(base64.b64decode(key))
    return ring


def seal(plain: bytes, *, place: str) -> bytes:
    """Encrypt `plain` with the newest key for `place` (for example `api_key|7|daily`)."""
    version, key = next(iter(_keys().items()))
    nonce = os.urandom(NONCE_BYTES)
    return bytes([version]) + nonce + key.encrypt(nonce, plain, place.encode())


def unseal(sealed: bytes, *, place: str) -> bytes:
    """Decrypt what `seal` made for the same `place`.

    Raises WrongSeal if it was altered, moved, or sealed by a key that is no longer in the ring.
    """
    try:
        key = _keys()[sealed[0]]
        return key.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], place.encode())
    except (KeyError, IndexError, InvalidTag, ValueError) as error:
        raise WrongSeal(place) from error


def keyed_hash(value: str, *, purpose: str) -> bytes:
    """Return HMAC-SHA256 of `value` under a key of its own for `purpose`: equal values compare, none is readable."""
    key = hmac.digest(settings.SECRET_KEY.encode(), f"restartix:{purpose}".encode(), "sha256")
    return hmac.digest(key, value.encode(), "sha256")


def random_token() -> str:
    """Return 256 random bits as 43 characters of base64url."""
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> bytes:
    """Return the SHA-256 under which a random token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class SealedTextField(models.BinaryField):
    """Text that the database holds only sealed; its place is `table.column`. Empty text is stored as NULL."""

    def _place(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        """Open the seal."""
        return None if value is None else unseal(bytes(value), place=self._place()).decode()

    def get_prep_value(self, value: Any) -> Any:
        """Close the seal; bytes are taken as sealed already."""
        if value is None or value == "":
            return None
        return value if isinstance(value, bytes | memoryview) else seal(str(value).encode(), place=self._place())

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """Seal once, then adapt for the driver."""
        return super().get_db_prep_value(value if prepared else self.get_prep_value(value), connection, prepared=True)

    def to_python(self, value: Any) -> Any:
        """Leave text as text."""
        return value

    def value_to_string(self, obj: models.Model) -> str:
        """Serialise to text for fixtures."""
        return str(self.value_from_object(obj) or "")
