"""The keys by which this server's own tokens are believed.

The name of a key carries a keyed hash, so a token with an invented key id costs no look-up.
"""

from __future__ import annotations

import hmac
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from apps.profiles.models import SigningKey
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.jwks import FixedKey
from restartix.kernel.tokens import Issuer

ISSUER = "urn:restartix:impersonation"
KIND = "impersonation"


def key_name(key_id: UUID) -> str:
    """Return the `kid` of a key."""
    return f"{key_id}.{keyed_hash(str(key_id), purpose='signing key')[:12].hex()}"


class OwnKeys:
    """The public halves of this server's key pairs, each read once a process."""

    def __init__(self) -> None:
        """Know none yet."""
        self._keys: dict[str, RSAPublicKey | None] = {}

    def find(self, key_id: str | None) -> RSAPublicKey | None:
        """Return the key of that name, None if this server has no such key."""
        if key_id is None or not _is_ours(key_id):
            return None
        if key_id not in self._keys:
            pem = SigningKey.objects.filter(pk=key_id.partition(".")[0]).values_list("public_key", flat=True).first()
            if pem is None:
                return None
            self._keys[key_id] = FixedKey(pem).find(None)
        return self._keys[key_id]


def _is_ours(name: str) -> bool:
    """Tell whether this server gave a key that name."""
    try:
        expected = key_name(UUID(name.partition(".")[0]))
    except ValueError:
        return False
    return hmac.compare_digest(expected.encode(), name.encode())


@cache
def issuer() -> Issuer:
    """Return this server as the issuer of impersonation tokens; it allows its own clock no leeway."""
    return Issuer(name=ISSUER, keys=OwnKeys(), kind=KIND, leeway_seconds=0)
