"""Addresses of public images: logos, icons and avatars, the only stored files that are public."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings


def address_of(image: UUID | None) -> str | None:
    """Return where the image is read, None where there is none; a new image has a new address."""
    return f"{settings.PUBLIC_URL}/v1/public/images/{image}" if image else None
