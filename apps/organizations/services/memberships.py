"""Memberships: who belongs to which clinic, as what. Source: contract/organizations.md 1.2, 2.5."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.db.models import Q

from apps.organizations.errors import AlreadyMember, LastAdmin, NotAMember, OwnMembership, Suspended
from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import Membership, MembershipRole, Organization, User
from restartix.kernel import clock
from restartix.kernel.errors import Impersonating, Invalid, NotFound
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, active_organization_id


class Connection(NamedTuple):
    """A membership, and whether it was made just now."""

    membership: Membership
    is_new: bool


@transaction.atomic
def connect(*, role: str, by: Actor, user_id: int | None = None, email: str | None = None) -> Connection:
    """Make the user a member of the active organization, or an active one again, in `role`; locks the organization.

    The user is named by `user_id` or by `email`. Raises Invalid (422) if there is no such user or the user is blocked,
    and AlreadyMember (409) if the user is an active member in another role.
    """
    user = _named(user_id=user_id, email=email)
    lock(active_organization_id())
    membership = Membership.objects.select_related("user", "created_by").filter(user=user).first()
    if membership is None:
        return Connection(admit(user, role=role, by=by), is_new=True)
    if membership.status == MembershipStatus.ACTIVE and membership.role != role:
        raise AlreadyMember(membership.role)
    if membership.status != MembershipStatus.ACTIVE:
        _save(membership, role=role, status=MembershipStatus.ACTIVE)
        _settle_in(user)
    return Connection(membership, is_new=False)


def _named(*, user_id: int | None, email: str | None) -> User:
    field = "user_id" if email is None else "email"
    wanted = Q(pk=user_id) if email is None else Q(email=email.lower())
    user = User.objects.filter(wanted, deleted_at=None, blocked=False).first()
    if user is None:
        raise Invalid({field: ["not found"]})
    return user


@transaction.atomic
def admit(user: User, *, role: str, by: Actor) -> Membership:
    """Make the user, who has no membership in the active organization, a member of it."""
    membership = Membership.objects.create(user=user, role=role, created_by_id=by.user_id)
    _settle_in(user)
    return membership


@transaction.atomic
def change(membership: Membership, *, by: Actor, role: str | None = None, status: str | None = None) -> Membership:
    """Give the membership another role or status; locks the organization, so that the last admin stays one.

    Raises OwnMembership (403) for the caller's own, a superadmin excepted, and LastAdmin (409) if no active admin would
    remain.
    """
    check_not_own(membership, by=by)
    lock(active_organization_id())
    membership = (
        Membership.objects.select_related("user", "created_by").select_for_update(of=("self",)).get(pk=membership.pk)
    )
    was_admin = _is_active_admin(membership.role, membership.status)
    role, status = role or membership.role, status or membership.status
    if was_admin and not _is_active_admin(role, status) and not _other_admins(membership):
        raise LastAdmin
    return _changed(membership, role=role, status=status)


def check_not_own(membership: Membership, *, by: Actor) -> None:
    """Raise OwnMembership (403) if the membership is the caller's own; superadmins are excepted."""
    if membership.user_id == by.user_id and not by.is_superadmin:
        raise OwnMembership


def _is_active_admin(role: str, status: str) -> bool:
    return role == MembershipRole.ADMIN and status == MembershipStatus.ACTIVE


def _other_admins(membership: Membership) -> bool:
    admins = Membership.objects.filter(role=MembershipRole.ADMIN, status=MembershipStatus.ACTIVE)
    return admins.exclude(pk=membership.pk).exists()


def _changed(membership: Membership, *, role: str, status: str) -> Membership:
    before = membership.status
    _save(membership, role=role, status=status)
    if before != status:
        if status == MembershipStatus.ACTIVE:
            _settle_in(membership.user)
        else:
            _move_out([membership.user_id])
    return membership


def _save(membership: Membership, *, role: str, status: str) -> None:
    if (membership.role, membership.status) != (role, status):
        membership.role, membership.status = role, status
        membership.save(update_fields=["role", "status"])


class Seat(NamedTuple):
    """Where a user works now, and as what; a superadmin may be nowhere, or somewhere without a role."""

    organization: Organization | None
    role: Role | None


@transaction.atomic
def switch(*, to: int | None, by: Actor) -> Seat:
    """Make an organization the caller's current one; only superadmins may have none.

    Raises Impersonating (403), NotAMember (403) for an organization that the caller is not in or that does not exist,
    Suspended (403), Invalid (422) for None, and NotFound (404) for a superadmin's unknown one.
    """
    if by.impersonation_id is not None:
        raise Impersonating
    seat = Seat(None, None) if to is None else _seat(to, by=by)
    if to is None and not by.is_superadmin:
        raise Invalid({"organization_id": ["null is not accepted"]})
    User.objects.filter(pk=by.user_id or 0).update(current_organization=seat.organization, updated_at=clock.now())
    return seat


def _seat(organization_id: int, *, by: Actor) -> Seat:
    organization = Organization.objects.alive().filter(pk=organization_id).first()
    membership = Membership.everywhere.filter(
        organization_id=organization_id, user_id=by.user_id or 0, status=MembershipStatus.ACTIVE
    ).first()
    if organization is None and by.is_superadmin:
        raise NotFound
    if organization is None or (membership is None and not by.is_superadmin):
        raise NotAMember
    if organization.status == OrganizationStatus.SUSPENDED and not by.is_superadmin:
        raise Suspended
    return Seat(organization, Role(membership.role) if membership else None)


@transaction.atomic
def disable_all() -> None:
    """End every membership of the active organization, the last admin's included: it is about to be deleted."""
    active = Membership.objects.filter(status=MembershipStatus.ACTIVE)
    _move_out(list(active.values_list("user_id", flat=True)))
    active.update(status=MembershipStatus.DISABLED, updated_at=clock.now())


def lock(organization_id: int) -> Organization:
    """Hold the organization's row until the transaction ends; other rows may still be linked to it meanwhile."""
    return Organization.objects.select_for_update(no_key=True).get(pk=organization_id)


def _settle_in(user: User) -> None:
    """Make the active organization the user's current one where there is none."""
    without = User.objects.filter(pk=user.pk, current_organization=None)
    without.update(current_organization=active_organization_id(), updated_at=clock.now())


def _move_out(user_ids: list[int]) -> None:
    """Let the active organization no longer be the users' current one."""
    here = User.objects.filter(pk__in=user_ids, current_organization=active_organization_id())
    here.update(current_organization=None, updated_at=clock.now())
