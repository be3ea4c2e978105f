"""Standard Webhooks signatures, made over what leaves and checked over what arrives.

A secret is `whsec_` and base64 of the key; a signature is `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
Source: contract/organizations.md 1.7 and 2.1; the Standard Webhooks specification.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets as random_source
from collections.abc import Iterable

PREFIX = "whsec_"
VERSION = "v1"
SECRET_BYTES = 32
TOLERANCE_SECONDS = 300
#: More signatures than this beside one message are not looked at.
MOST_SIGNATURES = 32


class BadSecret(ValueError):
    """The secret is not of the form `whsec_<base64>`: a mistake of the operator, never of a caller."""


def new_secret() -> str:
    """Return a new secret: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(random_source.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, *, message_id: str, timestamp: int | str, body: bytes) -> str:
    """Return `v1,<base64>` over `body`; `timestamp` in Unix seconds, a text is signed as it stands.

    Raises BadSecret.
    """
    digest = _digest(secret, message_id=message_id, timestamp=timestamp, body=body)
    return f"{VERSION},{base64.b64encode(digest).decode()}"


def sign_with_all(secrets: Iterable[str], *, message_id: str, timestamp: int | str, body: bytes) -> str:
    """Return one signature for each of `secrets`, in their order, separated by spaces. Raises BadSecret."""
    return " ".join(sign(secret, message_id=message_id, timestamp=timestamp, body=body) for secret in secrets)


def verify(secrets: Iterable[str], *, message_id: str, timestamp: int | str, body: bytes, signatures: str) -> bool:
    """Tell whether any of `signatures` (separated by spaces) is one that any of `secrets` makes.

    Every pair is compared, in constant time, whatever an earlier one said. The age of `timestamp` is the caller's to
    judge (`is_current`). Raises BadSecret.
    """
    offered = [text.partition(",")[2].encode() for text in signatures.split()[:MOST_SIGNATURES] if _is_ours(text)]
    matches = False
    for secret in secrets:
        expected = base64.b64encode(_digest(secret, message_id=message_id, timestamp=timestamp, body=body))
        for signature in offered:
            matches |= hmac.compare_digest(expected, signature)
    return matches


def is_current(timestamp: str, *, now: float, tolerance_seconds: int = TOLERANCE_SECONDS) -> bool:
    """Tell whether `timestamp` is whole Unix seconds that lie within the tolerance of `now`, either way."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        return False
    return abs(now - int(timestamp)) <= tolerance_seconds


def _is_ours(text: str) -> bool:
    return text.startswith(f"{VERSION},")


def _digest(secret: str, *, message_id: str, timestamp: int | str, body: bytes) -> bytes:
    signed = f"{message_id}.{timestamp}.".encode("utf-8", "surrogateescape") + body
    return hmac.new(_key(secret), signed, hashlib.sha256).digest()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSecret("a webhook secret is whsec_ and base64") from error
    if not key:
        raise BadSecret("a webhook secret is not empty")
    return key
