"""A patient's or a caregiver's seat in the clinic: the membership as a patient. Source: profiles.md 1.4, 2.1."""

from __future__ import annotations

from django.db import transaction

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, MembershipRole, User
from apps.organizations.services import memberships
from restartix.kernel.tenancy import Actor


@transaction.atomic
def give(user: User, *, by: Actor) -> None:
    """Make the user a member with the role patient, unless they are an active member already, in whatever role.

    A blocked or deleted user gets none: nobody could sign in.
    """
    if user.is_active and not Membership.objects.filter(user=user, status=MembershipStatus.ACTIVE).exists():
        memberships.connect(user_id=user.pk, role=MembershipRole.PATIENT, by=by)


@transaction.atomic
def take(user: User, *, by: Actor) -> None:
    """Disable the user's membership if its role is patient; staff keep theirs."""
    held = Membership.objects.filter(user=user, role=MembershipRole.PATIENT, status=MembershipStatus.ACTIVE).first()
    if held is not None:
        memberships.change(held, by=by, status=MembershipStatus.DISABLED)
