"""Which organization a host name or a slug leads to. Source: contract/organizations.md 2.2 (resolve)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from django.conf import settings

from apps.organizations.domain import hosts
from apps.organizations.lifecycles import DomainStatus, OrganizationStatus
from apps.organizations.models import Domain, Organization
from restartix.kernel.errors import NotFound

Face = Literal["clinic", "portal"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The organization found, and which of its front ends the host serves: `clinic`, `portal` or None."""

    organization: Organization
    face: Face | None


def by_slug(slug: str) -> Resolved:
    """Return the organization with this slug. Raises NotFound (404) if none is served under it."""
    return Resolved(_served(slug), face=None)


def by_host(host: str) -> Resolved:
    """Return the organization of a verified domain, or of `{slug}.clinic.<base>` and `{slug}.portal.<base>`.

    `host` is what the browser shows, case, port and final dot being of no account. Raises NotFound (404) if no
    organization is served there.
    """
    name = hosts.normalised(host)
    platform = hosts.platform_host(name, base_domain=settings.PLATFORM_BASE_DOMAIN)
    if platform is not None:
        return Resolved(_served(platform.slug), platform.face)
    domain = Domain.everywhere.select_related("organization").filter(domain=name, status=DomainStatus.VERIFIED).first()
    if domain is None or not _is_served(domain.organization):
        raise NotFound
    return Resolved(domain.organization, cast("Face", domain.kind))


def _served(slug: str) -> Organization:
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None or not _is_served(organization):
        raise NotFound
    return organization


def _is_served(organization: Organization) -> bool:
    return organization.deleted_at is None and organization.status == OrganizationStatus.ACTIVE
