"""Organizations: opened, changed, suspended, closed for ever. Source: contract/organizations.md 1.3, 2.2."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.organizations.errors import OnlySuperadmins
from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.models import ApiKey, Domain, Organization, PictureKind
from apps.organizations.services import memberships, pictures, subscriptions
from apps.organizations.services.foundings import Founding
from apps.organizations.services.removals import Removal
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, NotFound, refusing
from restartix.kernel.tenancy import Actor

#: What higher apps count and let go when an organization is deleted.
removal: Removal[Organization] = Removal()
#: What higher apps set up with every new one.
founding = Founding()


@transaction.atomic
def create(*, by: Actor, name: str, slug: str, settings: dict[str, Any] | None = None, **fields: Any) -> Organization:
    """Open an organization with what every one begins with.

    Raises AlreadyTaken (409) if another one has or ever had the slug.
    """
    organization = Organization(name=name, slug=slug, settings=merged({}, settings or {}), **fields)
    with refusing(organizations_organization_slug_key=AlreadyTaken("slug")):
        organization.save(force_insert=True)
    founding.carry_out(organization, by=by)
    return organization


@transaction.atomic
def change(
    organization: Organization, *, by: Actor, settings: dict[str, Any] | None = None, **fields: Any
) -> Organization:
    """Change the given fields and settings, holding the row; settings are merged key by key.

    Raises OnlySuperadmins (403) if somebody else changes the status. A new time zone moves no stored instant.
    """
    if "status" in fields and not by.is_superadmin:
        raise OnlySuperadmins("status")
    organization = memberships.lock(organization.pk)
    if settings is not None:
        fields["settings"] = merged(organization.settings, settings)
    changed = [name for name, value in fields.items() if getattr(organization, name) != value]
    for name in changed:
        setattr(organization, name, fields[name])
    if changed:
        organization.save(update_fields=changed)
    return organization


def merged(stored: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """Return the stored settings with those that were sent; a policy set to None is removed."""
    result = {**stored, **sent}
    if "policies" in sent:
        policies = {**stored.get("policies", {}), **sent["policies"]}
        result["policies"] = {kind: policy for kind, policy in policies.items() if policy is not None}
    return result


def suspend(organization: Organization, *, by: Actor) -> Organization:
    """Serve the clinic no longer: its members and its public pages are turned away."""
    return change(organization, by=by, status=OrganizationStatus.SUSPENDED)


def reactivate(organization: Organization, *, by: Actor) -> Organization:
    """Serve the clinic again."""
    return change(organization, by=by, status=OrganizationStatus.ACTIVE)


@transaction.atomic
def set_picture(organization: Organization, *, by: Actor, kind: str, data: bytes) -> Organization:
    """Publish `data` as the organization's logo or icon (`kind`), holding the row; an icon must be square.

    Raises Invalid (422), PayloadTooLarge (413) and UnsupportedMediaType (415) as `pictures.publish` does.
    """
    organization = memberships.lock(organization.pk)
    uid = pictures.publish(
        data,
        kind=kind,
        owner_id=organization.pk,
        replacing=getattr(organization, kind),
        is_square=kind == PictureKind.ICON,
    )
    setattr(organization, kind, uid)
    organization.save(update_fields=[kind])
    return organization


@transaction.atomic
def remove_picture(organization: Organization, *, by: Actor, kind: str) -> Organization:
    """Withdraw the organization's logo or icon, holding the row. Raises NotFound (404) where there is none."""
    organization = memberships.lock(organization.pk)
    uid = getattr(organization, kind)
    if uid is None:
        raise NotFound
    pictures.withdraw(uid)
    setattr(organization, kind, None)
    organization.save(update_fields=[kind])
    return organization


@transaction.atomic
def delete(organization: Organization, *, by: Actor) -> None:
    """Close the organization for ever: domains, webhooks and keys go, memberships end, what higher apps hold is let go.

    Holds the row against everything that links to it. Raises StillNeeded (409) while appointments lie ahead.
    """
    organization = Organization.objects.select_for_update().get(pk=organization.pk)
    removal.check(organization)
    removal.carry_out(organization, by=by)
    subscriptions.delete_all(by=by)
    Domain.objects.all().delete()
    ApiKey.objects.all().delete()
    memberships.disable_all()
    organization.deleted_at = clock.now()
    organization.save(update_fields=["deleted_at"])
