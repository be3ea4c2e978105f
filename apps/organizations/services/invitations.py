"""Invitations: somebody is made a member by e-mail, whether the platform knows them yet or not, and written to.

The identity provider links a user who was made ahead at the first sign-in with a verified e-mail.
Source: contract/organizations.md 1.1, 1.2, 2.5.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from apps.organizations.facts import MemberInvited
from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, MembershipRole, User
from apps.organizations.services import facts, letters, memberships, users
from restartix.kernel.tenancy import Actor

#: What a letter calls a role.
_ROLE_NAMES = {
    MembershipRole.PATIENT: gettext_noop("patient"),
    MembershipRole.SPECIALIST: gettext_noop("specialist"),
    MembershipRole.CUSTOMER_SUPPORT: gettext_noop("customer support"),
    MembershipRole.ADMIN: gettext_noop("administrator"),
}


@transaction.atomic
def invite(*, email: str, role: str, by: Actor, name: str = "") -> Membership:
    """Make whoever has `email` a member of the active organization in `role`, and announce that they are to be told.

    Somebody unknown becomes a user ahead of the first sign-in, called `name` or what stands before the `@`. A letter
    goes out only where the membership is new or active again.
    Raises Invalid (422) for an e-mail that is none or belongs to somebody blocked, and AlreadyMember (409) for an
    active member in another role.
    """
    email = users.checked_email(email)
    if not User.objects.filter(email=email, deleted_at=None).exists():
        users.create(by=by, email=email, name=name)
    active = Membership.objects.filter(user__email=email, user__deleted_at=None, status=MembershipStatus.ACTIVE)
    was_member = active.exists()
    membership = memberships.connect(role=role, by=by, email=email).membership
    if not was_member:
        facts.record(MemberInvited(membership.pk))
    return membership


def tell(membership_id: int, *, key: str) -> bool:
    """Write to the invited person where to sign in, once for each `key`; say whether a letter was sent just now.

    Raises OSError or SMTPException if the mail server does not take it.
    """
    rows = Membership.objects.select_related("user", "organization", "created_by")
    membership = rows.filter(pk=membership_id, status=MembershipStatus.ACTIVE, user__deleted_at=None).first()
    if membership is None or membership.user.blocked:
        return False
    return letters.send(
        to=membership.user.email, organization=membership.organization, write=lambda: _words(membership), key=key
    )


def _words(membership: Membership) -> letters.Words:
    clinic, user = membership.organization.name, membership.user
    role = gettext(_ROLE_NAMES[MembershipRole(membership.role)])
    if user.clerk_user_id:
        how = gettext("Sign in as usual with {email} and choose {clinic}.")
    else:
        how = gettext("Sign in for the first time with {email}: the invitation finds you by this address.")
    return letters.Words(
        subject=gettext("You are invited to {clinic}").format(clinic=clinic),
        paragraphs=(
            gettext("Hello {name},").format(name=user.name),
            gettext("{clinic} has made you a member. Your part there: {role}.").format(clinic=clinic, role=role),
            how.format(email=user.email, clinic=clinic),
            gettext("If you do not know this clinic, you need do nothing."),
        ),
        action=(gettext("Sign in"), settings.PUBLIC_URL),
    )
