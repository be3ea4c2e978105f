"""Stored files: kept under names of our own, deleted after the commit that orphans them, read by signed addresses.

Object keys are `{organization id or "global"}/{area}/{owner id}/{uuid}.{extension}`; names that clients send never
enter one.
Source: contract/forms.md 0.2.
"""

from __future__ import annotations

import time
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

#: How long a signed address opens its file, in seconds.
VALID_SECONDS = 900
_SALT = "restartix.stored-file"


def key_of(*, organization_id: int | None, area: str, owner_id: int, uid: UUID, extension: str) -> str:
    """Return the name under which an object is kept; without an organization it belongs to the library of all."""
    return f"{organization_id or 'global'}/{area}/{owner_id}/{uid}.{extension}"


def keep(key: str, data: bytes) -> None:
    """Store the object. One whose transaction is then rolled back stays behind without a row that names it."""
    default_storage.save(key, ContentFile(data))


def content(key: str) -> bytes | None:
    """Return the object's bytes, None where there is no such object."""
    try:
        with default_storage.open(key) as stored:
            return bytes(stored.read())
    except FileNotFoundError:
        return None


def discard(key: str) -> None:
    """Delete the object once the open transaction is committed; a rollback keeps it."""
    transaction.on_commit(lambda: default_storage.delete(key), robust=True)


def signed_address(key: str) -> str:
    """Return an address that opens the object for 15 minutes: the store's own, or with local files one of ours."""
    if settings.STORES_LOCALLY:
        token = signing.dumps([key, int(time.time()) + VALID_SECONDS], salt=_SALT, compress=True)
        return f"{settings.PUBLIC_URL}/v1/files/{token}"
    return default_storage.url(key)


def key_behind(token: str) -> str | None:
    """Return the key that a token of ours opens, None if it is over or not ours."""
    try:
        key, expires = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return str(key) if time.time() < expires else None
