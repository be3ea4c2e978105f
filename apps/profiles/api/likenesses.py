"""Avatars and signatures of specialists: uploaded by admins and by themselves. Source: contract/profiles.md 3."""

from __future__ import annotations

from typing import Any

from apps.organizations.api.pictures import UploadBody, upload
from apps.profiles.api.views import Specialists
from apps.profiles.errors import SpecialistDeleted
from apps.profiles.models import Specialist
from apps.profiles.services import likenesses
from restartix.kernel.api.operations import MULTIPART, operation
from restartix.kernel.errors import Forbidden, NotFound, UnsupportedMediaType
from restartix.kernel.roles import ADMINS, CLINICIANS


class Likenesses(Specialists):
    """Specialists: those who treat, as the clinic's staff and its patients see them."""

    may = {
        "set_avatar": CLINICIANS,
        "remove_avatar": CLINICIANS,
        "set_signature": CLINICIANS,
        "remove_signature": CLINICIANS,
    }

    def permit(self) -> None:
        """Let admins change every specialist's pictures, specialists their own."""
        is_self = self.row.user_id is not None and self.row.user_id == self.actor.user_id
        if self.actor.effective_role not in ADMINS and not is_self:
            raise Forbidden

    @upload
    def set_avatar(self, row: Specialist, body: dict[str, Any]) -> Specialist:
        """Publish a picture in place of the present one."""
        return self._shown(likenesses.set_avatar(row, by=self.actor, data=body["file"].read()))

    @operation(errors=(NotFound, SpecialistDeleted))
    def remove_avatar(self, row: Specialist) -> None:
        """Withdraw the picture."""
        likenesses.remove_avatar(row, by=self.actor)

    @operation(
        body=UploadBody,
        consumes=(MULTIPART,),
        max_bytes=likenesses.SIGNATURE_BYTES,
        errors=(UnsupportedMediaType, SpecialistDeleted),
    )
    def set_signature(self, row: Specialist, body: dict[str, Any]) -> Specialist:
        """Keep a signature, a PNG, for documents that are signed from now on."""
        return self._shown(likenesses.set_signature(row, by=self.actor, data=body["file"].read()))

    @operation(errors=(NotFound, SpecialistDeleted))
    def remove_signature(self, row: Specialist) -> None:
        """Remove the signature."""
        likenesses.remove_signature(row, by=self.actor)
