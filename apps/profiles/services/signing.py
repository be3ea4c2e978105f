"""Signing by this server's own key, which is made when it is first needed. Source: contract/profiles.md 1.6."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction

from apps.profiles.models import SigningKey
from apps.profiles.selectors.signing import ISSUER, key_name
from restartix.kernel.crypto import WrongSeal
from restartix.kernel.tokens import ALGORITHM

KEY_BITS = 2048


@transaction.atomic
def sign(claims: Mapping[str, Any], *, expires: int) -> str:
    """Return a token with these claims, valid until the second `expires` (Unix time), signed by the newest key."""
    key = _newest() or _made()
    payload = {"iss": ISSUER, **claims, "exp": expires}
    return jwt.encode(payload, _parsed(key.private_key), algorithm=ALGORITHM, headers={"kid": key_name(key.pk)})


def _newest() -> SigningKey | None:
    """Return the newest key, None without one, or if none of ENCRYPTION_KEYS opens it any more."""
    try:
        return SigningKey.objects.order_by("-created_at").first()
    except WrongSeal:
        return None


def _made() -> SigningKey:
    """Make a key pair; two that are made at the same moment are both good."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return SigningKey.objects.create(public_key=public.decode(), private_key=private.decode())


@cache
def _parsed(pem: str) -> Any:
    """Read a key once: checking that it is one costs 35 ms."""
    return serialization.load_pem_private_key(pem.encode(), password=None)
