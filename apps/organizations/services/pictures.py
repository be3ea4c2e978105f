"""Public pictures: published under a new address each time, withdrawn for ever.

Source: contract/organizations.md 3 rows 6-10.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from apps.organizations.models import Picture
from restartix.kernel import media, storage
from restartix.kernel.tenancy import active_organization_id
from restartix.kernel.transactions import joins_transaction

#: Types that a public picture may come in, and its largest size in bytes.
ACCEPTED = ("image/png", "image/jpeg", "image/webp")
MAX_BYTES = 2 * 1024 * 1024


@joins_transaction
def publish(data: bytes, *, kind: str, owner_id: int, replacing: UUID | None, is_square: bool = False) -> UUID:
    """Publish the picture in `data` and withdraw the one it replaces; returns what its address ends in.

    Raises Invalid (422), PayloadTooLarge (413) and UnsupportedMediaType (415) as `media.picture` does.
    """
    picture = media.picture(data, accepted=ACCEPTED, max_bytes=MAX_BYTES, is_square=is_square)
    uid = uuid4()
    key = storage.key_of(
        organization_id=active_organization_id(),
        area=f"{kind}s",
        owner_id=owner_id,
        uid=uid,
        extension=picture.extension,
    )
    storage.keep(key, picture.data)
    Picture.objects.create(uid=uid, kind=kind, media_type=picture.media_type, storage_key=key)
    if replacing is not None:
        withdraw(replacing)
    return uid


@joins_transaction
def withdraw(uid: UUID) -> None:
    """Let the picture's address lead nowhere; its bytes go after the commit."""
    for picture in Picture.objects.filter(uid=uid):
        storage.discard(picture.storage_key)
        picture.delete()
