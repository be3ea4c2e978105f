"""Where a specialist's signature is kept, and the address that opens it for a while."""

from __future__ import annotations

from uuid import UUID

from apps.profiles.models import Specialist
from restartix.kernel import storage


def key_of(specialist: Specialist, uid: UUID) -> str:
    """Return the name under which the signature `uid` is stored."""
    return storage.key_of(
        organization_id=specialist.organization_id,
        area="signatures",
        owner_id=specialist.pk,
        uid=uid,
        extension="png",
    )


def address_of(specialist: Specialist) -> str | None:
    """Return a signed address of the signature, valid 15 minutes; None where there is none."""
    return storage.signed_address(key_of(specialist, specialist.signature)) if specialist.signature else None
