"""Which organization a host name or a slug leads to. Source: contract/organizations.md 2.2 (resolve)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import connection

from apps.organizations.domain import hosts
from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.models import Organization
from restartix.kernel.errors import NotFound

Face = Literal["clinic", "portal"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The organization found, and which of its front ends the host serves: `clinic`, `portal` or None."""

    organization: Organization
    face: Face | None


def by_slug(slug: str) -> Resolved:
    """Return the organization with this slug. Raises NotFound (404) if none is served under it."""
    return Resolved(_served(slug=slug), face=None)


def by_host(host: str) -> Resolved:
    """Return the organization of a verified domain, or of `{slug}.clinic.<base>` and `{slug}.portal.<base>`.

    `host` is what the browser shows, case, port and final dot being of no account. Raises NotFound (404) if no
    organization is served there.
    """
    name = hosts.normalised(host)
    platform = hosts.platform_host(name, base_domain=settings.PLATFORM_BASE_DOMAIN)
    if platform is not None:
        return Resolved(_served(slug=platform.slug), platform.face)
    organization_id, kind = _verified(name)
    return Resolved(_served(pk=organization_id), kind)


def is_verified(domain: str) -> bool:
    """Tell whether some organization has verified this domain; `domain` is normalised already."""
    return _owner(domain)[0] is not None


def _verified(domain: str) -> tuple[int, Face]:
    """Return whose verified domain this is, and which front end it serves."""
    organization_id, kind = _owner(domain)
    if organization_id is None:
        raise NotFound
    return organization_id, kind


def _owner(domain: str) -> tuple[int | None, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, kind FROM restartix_verified_domain(%s)", [domain])
        owner: tuple[int | None, Any] = cursor.fetchone()
        return owner


def _served(**named: Any) -> Organization:
    organization = Organization.objects.filter(deleted_at=None, status=OrganizationStatus.ACTIVE, **named).first()
    if organization is None:
        raise NotFound
    return organization
