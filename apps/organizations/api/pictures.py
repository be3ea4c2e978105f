"""Logos and icons: uploaded by admins, read by everybody. Source: contract/organizations.md 3 rows 6-10."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from apps.organizations.api.views import Organizations
from apps.organizations.models import Organization, Picture, PictureKind
from apps.organizations.services import organizations, pictures
from restartix.kernel import storage
from restartix.kernel.api import fields
from restartix.kernel.api.files import SANDBOX
from restartix.kernel.api.operations import MULTIPART, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Body
from restartix.kernel.errors import NotFound, UnsupportedMediaType
from restartix.kernel.roles import ADMINS, PUBLIC

FOR_EVER = "public, max-age=31536000, immutable"


class UploadBody(Body):
    """One file."""

    file = fields.File()


upload = operation(body=UploadBody, consumes=(MULTIPART,), max_bytes=pictures.MAX_BYTES, errors=(UnsupportedMediaType,))


class OrganizationPictures(Organizations):
    """Organizations: the clinics that the caller belongs to."""

    may = {"set_logo": ADMINS, "remove_logo": ADMINS, "set_icon": ADMINS, "remove_icon": ADMINS}

    @upload
    def set_logo(self, row: Organization, body: dict[str, Any]) -> Organization:
        """Publish a logo in place of the present one."""
        return self._set(row, PictureKind.LOGO, body)

    @operation(errors=(NotFound,))
    def remove_logo(self, row: Organization) -> None:
        """Withdraw the logo."""
        organizations.remove_picture(row, by=self.actor, kind=PictureKind.LOGO)

    @upload
    def set_icon(self, row: Organization, body: dict[str, Any]) -> Organization:
        """Publish an icon, a square picture, in place of the present one."""
        return self._set(row, PictureKind.ICON, body)

    @operation(errors=(NotFound,))
    def remove_icon(self, row: Organization) -> None:
        """Withdraw the icon."""
        organizations.remove_picture(row, by=self.actor, kind=PictureKind.ICON)

    def _set(self, row: Organization, kind: PictureKind, body: dict[str, Any]) -> Organization:
        data = body["file"].read()
        return self._shown(organizations.set_picture(row, by=self.actor, kind=kind, data=data))


class PublicPictures(Resource):
    """Images: logos, icons and avatars in use, for everybody."""

    may = {"fetch": PUBLIC}
    picture: Picture

    def organization_of(self) -> int | None:
        """Return the organization whose picture this is. Raises NotFound (404) for one that is not in use."""
        picture = Picture.everywhere.filter(uid=self.kwargs["uid"]).first()
        if picture is None:
            raise NotFound
        self.picture = picture
        return picture.organization_id

    @operation(produces=(*pictures.ACCEPTED, "application/json"), row=False, etag=False, errors=(NotFound,))
    def fetch(self) -> HttpResponse:
        """Return the bytes of a picture; a replaced or removed one is not found."""
        data = storage.content(self.picture.storage_key)
        if data is None:
            raise NotFound
        headers = {"Cache-Control": FOR_EVER, "Content-Security-Policy": SANDBOX, "Content-Disposition": "inline"}
        return HttpResponse(data, content_type=self.picture.media_type, headers=headers)
