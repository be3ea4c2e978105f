"""Specialists: taken on, changed, deleted, restored. Source: contract/profiles.md 1.7, 2.2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, MembershipRole
from apps.organizations.services import memberships
from apps.organizations.services.removals import Removal
from apps.profiles.errors import SpecialistDeleted
from apps.profiles.models import Specialist, SpecialistSpecialty, Specialty
from apps.profiles.services import availability
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid, refusing
from restartix.kernel.slugs import free_slug, slugify
from restartix.kernel.tenancy import Actor, active_organization_id

#: What counts on a specialist and what goes with one; higher apps register theirs.
removal: Removal[Specialist] = Removal()

#: Who may be linked to a specialist.
ROLES = (MembershipRole.SPECIALIST, MembershipRole.ADMIN)


@transaction.atomic
def create(
    *, by: Actor, name: str, slug: str | None = None, specialty_ids: Sequence[int] = (), **fields: Any
) -> Specialist:
    """Take on a specialist; without a `slug` the name gives one. Holds the organization's row, so that slugs stay free.

    `fields` are those of contract/profiles.md 1.7, `license` as an object. Raises Invalid (422) for an unknown user or
    specialty, and AlreadyTaken (409) if another specialist has the slug or the user.
    """
    _check_user(fields.get("user_id"))
    zone, active = fields.get("scheduling_timezone"), fields.get("scheduling_active", False)
    availability.check_active(active=active, timezone=zone, field="scheduling_active")
    memberships.lock(active_organization_id())
    slug = slug or _free_slug(slugify(name, fallback="specialist"))
    specialist = Specialist(name=name, slug=slug, **_columns(fields))
    with _refusing_taken():
        specialist.save(force_insert=True)
    _practise(specialist, specialty_ids)
    return specialist


@transaction.atomic
def change(
    specialist: Specialist, *, by: Actor, specialty_ids: Sequence[int] | None = None, **fields: Any
) -> Specialist:
    """Change the given fields, holding the row; `specialty_ids` replaces the set.

    Raises Invalid (422), AlreadyTaken (409), TimezoneLocked (409), and SpecialistDeleted (409), as elsewhere here.
    """
    specialist = availability.locked(specialist)
    if "user_id" in fields and fields["user_id"] != specialist.user_id:
        _check_user(fields["user_id"])
    _check_scheduling(specialist, fields)
    with _refusing_taken():
        specialist = availability.write(specialist, **_columns(fields))
    if specialty_ids is not None and _practise(specialist, specialty_ids):
        specialist.save(update_fields=[])
    return specialist


@transaction.atomic
def delete(specialist: Specialist, *, by: Actor) -> None:
    """Let a specialist go: past appointments keep showing the name, the slug is free, what hangs on the row is let go.

    Holds the row against everything that links to it. Raises StillNeeded (409) while appointments lie ahead, and
    SpecialistDeleted (409).
    """
    specialist = Specialist.objects.select_for_update(of=("self",)).get(pk=specialist.pk)
    if specialist.deleted_at is not None:
        raise SpecialistDeleted
    removal.check(specialist)
    removal.carry_out(specialist, by=by)
    specialist.deleted_at = clock.now()
    specialist.save(update_fields=["deleted_at"])


@transaction.atomic
def restore(specialist: Specialist, *, by: Actor) -> Specialist:
    """Undo the deletion; a slug that was taken meanwhile gets a suffix, a user who was linked elsewhere is unlinked.

    Holds the organization's row, so that slugs stay free. One who is not deleted stays as they are.
    """
    memberships.lock(active_organization_id())
    specialist = Specialist.objects.select_for_update(of=("self",), no_key=True).get(pk=specialist.pk)
    if specialist.deleted_at is None:
        return specialist
    if specialist.user_id and Specialist.objects.alive().filter(user_id=specialist.user_id).exists():
        specialist.user = None
    specialist.slug, specialist.deleted_at = _free_slug(specialist.slug), None
    specialist.save(update_fields=["slug", "user", "deleted_at"])
    return specialist


def _refusing_taken() -> Any:
    return refusing(specialist_slug_free=AlreadyTaken("slug"), specialist_user_free=AlreadyTaken("user_id"))


def _free_slug(wanted: str) -> str:
    taken = Specialist.objects.alive().filter(slug__startswith=wanted[:70]).values_list("slug", flat=True)
    return free_slug(wanted, set(taken))


def _check_user(user_id: int | None) -> None:
    """Raise Invalid (422) unless the user is an active member here who may be a specialist."""
    if user_id is None:
        return
    membership = Membership.objects.filter(user_id=user_id, status=MembershipStatus.ACTIVE).first()
    if membership is None:
        raise Invalid({"user_id": ["not found"]})
    if membership.role not in ROLES:
        raise Invalid({"user_id": ["a member with the role specialist or admin is expected"]})


def _check_scheduling(specialist: Specialist, fields: dict[str, Any]) -> None:
    """Apply the rules of the availability document to the two fields that the profile shares with it."""
    zone = fields.get("scheduling_timezone", specialist.scheduling_timezone)
    active = fields.get("scheduling_active", specialist.scheduling_active)
    field = "scheduling_active" if "scheduling_active" in fields else "scheduling_timezone"
    availability.check_active(active=active, timezone=zone, field=field)
    availability.check_timezone(specialist, zone)


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as columns: the licence is one object outside and four columns inside."""
    columns = dict(fields)
    if "license" in columns:
        held = columns.pop("license") or {}
        columns |= {f"license_{key}": held.get(key) for key in ("number", "issuing_body", "issued_on", "expires_on")}
    return columns


def _practise(specialist: Specialist, specialty_ids: Sequence[int]) -> bool:
    """Make these the specialist's specialties, and say whether they differ. Raises Invalid (422) if one is unknown."""
    known = set(Specialty.objects.filter(pk__in=specialty_ids).values_list("pk", flat=True))
    unknown = {f"specialty_ids[{i}]": ["not found"] for i, id_ in enumerate(specialty_ids) if id_ not in known}
    if unknown:
        raise Invalid(unknown)
    links = SpecialistSpecialty.objects.filter(specialist=specialist)
    present = set(links.values_list("specialty_id", flat=True))
    links.exclude(specialty_id__in=known).delete()
    for specialty_id in sorted(known - present):
        SpecialistSpecialty.objects.create(specialist=specialist, specialty_id=specialty_id)
    return present != known
