"""Pictures of a specialist: the avatar, which everybody sees, and the signature, which only documents show.

Source: contract/profiles.md 3 rows 10-13.
"""

from __future__ import annotations

from uuid import UUID, uuid4

from django.db import transaction

from apps.organizations.models import PictureKind
from apps.organizations.services import pictures
from apps.profiles.models import Specialist
from apps.profiles.selectors import signatures
from apps.profiles.services import availability
from restartix.kernel import media, storage
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import Actor

#: Largest signature, in bytes; it is a PNG.
SIGNATURE_BYTES = 512 * 1024


@transaction.atomic
def set_avatar(specialist: Specialist, *, by: Actor, data: bytes) -> Specialist:
    """Publish `data` as the specialist's picture, holding the row.

    Raises Invalid (422), PayloadTooLarge (413), UnsupportedMediaType (415) as `pictures.publish` does, and
    SpecialistDeleted (409).
    """
    specialist = availability.locked(specialist)
    specialist.avatar = pictures.publish(
        data, kind=PictureKind.AVATAR, owner_id=specialist.pk, replacing=specialist.avatar
    )
    specialist.save(update_fields=["avatar"])
    return specialist


@transaction.atomic
def remove_avatar(specialist: Specialist, *, by: Actor) -> None:
    """Withdraw the picture. Raises NotFound (404) where there is none, and SpecialistDeleted (409)."""
    specialist = availability.locked(specialist)
    pictures.withdraw(_present(specialist.avatar))
    specialist.avatar = None
    specialist.save(update_fields=["avatar"])


@transaction.atomic
def set_signature(specialist: Specialist, *, by: Actor, data: bytes) -> Specialist:
    """Keep `data`, a PNG, as the signature of documents that are signed from now on, holding the row.

    Raises Invalid (422), PayloadTooLarge (413) over 512 KiB, UnsupportedMediaType (415), and SpecialistDeleted (409).
    """
    specialist = availability.locked(specialist)
    picture = media.picture(data, accepted=["image/png"], max_bytes=SIGNATURE_BYTES)
    _discard(specialist)
    specialist.signature = uuid4()
    storage.keep(signatures.key_of(specialist, specialist.signature), picture.data)
    specialist.save(update_fields=["signature"])
    return specialist


@transaction.atomic
def remove_signature(specialist: Specialist, *, by: Actor) -> None:
    """Remove the signature. Raises NotFound (404) where there is none, and SpecialistDeleted (409)."""
    specialist = availability.locked(specialist)
    _present(specialist.signature)
    _discard(specialist)
    specialist.signature = None
    specialist.save(update_fields=["signature"])


def _present(uid: UUID | None) -> UUID:
    if uid is None:
        raise NotFound
    return uid


def _discard(specialist: Specialist) -> None:
    if specialist.signature is not None:
        storage.discard(signatures.key_of(specialist, specialist.signature))
