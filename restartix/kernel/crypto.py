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
from collections.abc import Mapping, Sequence
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


def newest_version() -> int:
    """Return the version of the key that `seal` uses now; it is the first byte of what it makes."""
    return next(iter(_keys()))


class SealedField(models.BinaryField):
    """A column that holds sealed values only: known by this type, and by it how to seal them anew.

    `manage.py rotate_encryption_keys` and `doctor` find every one of them (`restartix.kernel.rekeying`).
    """

    #: Names of the columns of the row whose values are part of the place.
    bound_to: Sequence[str] = ()

    def place_of(self, row: Mapping[str, Any]) -> str:
        """Return the place that the value is sealed for, given the row's columns `bound_to`."""
        raise NotImplementedError


class SealedTextField(SealedField):
    """Text that the database holds only sealed; its place is `table.column`. Empty text is stored as NULL."""

    def place_of(self, row: Mapping[str, Any]) -> str:
        """Return the same for every row."""
        return self._place()

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


class BoundSecretField(SealedField):
    """A secret that is sealed for its own row: copied to another one it does not open.

    Set text to it and save the row: it is sealed on the way, and the attribute holds bytes from then on, as it does in
    every row that is read. `open` gives the text to whoever needs it, so that no row carries it about.
    """

    def __init__(self, *args: Any, kind: str, bound_to: Sequence[str], **kwargs: Any) -> None:
        """Bind to `kind` and to the row's columns `bound_to`: the place is `kind|value|value`."""
        self.kind, self.bound_to = kind, tuple(bound_to)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        """Return how migrations write it."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "kind": self.kind, "bound_to": list(self.bound_to)}

    def place_of(self, row: Mapping[str, Any]) -> str:
        """Return the place; bytes are written in hexadecimal."""
        values = (row[column] for column in self.bound_to)
        shown = (bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value) for value in values)
        return "|".join((self.kind, *shown))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 (Django's signature)
        """Seal text that was set."""
        value = getattr(model_instance, self.attname)
        if isinstance(value, str):
            value = seal(value.encode(), place=self._place_in(model_instance))
            setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Take what is sealed already. Raises TypeError for text: only a row can say for which place to seal it."""
        if isinstance(value, str):
            raise TypeError(f"{self} is sealed for its row: set it on an instance and save that")
        return value

    def open(self, instance: models.Model) -> str:
        """Return the secret of a row that was read or saved. Raises WrongSeal."""
        return unseal(bytes(getattr(instance, self.attname)), place=self._place_in(instance)).decode()

    def _place_in(self, instance: models.Model) -> str:
        return self.place_of({column: getattr(instance, column) for column in self.bound_to})
