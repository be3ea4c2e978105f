"""Logins of the demo: users with one well-known password, and the table that says who may sign in with what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, Organization, User
from apps.organizations.services import memberships, users
from apps.scheduling.management.demo.plan import PersonPlan, plan
from restartix.kernel import tokens
from restartix.kernel.tenancy import Actor, Trace, acting_for

#: A week: whoever keeps the table open does not have to start again.
TOKEN_HOURS = 7 * 24
_ORDER = ["admin", "customer_support", "specialist", "patient"]


def member(person: PersonPlan, role: str, *, by: Actor, password: str) -> User:
    """Make the person a member of the active clinic; `password` is hashed already."""
    user = user_for(person, by=by, password=password)
    memberships.admit(user, role=role, by=by)
    return user


def user_for(person: PersonPlan, *, by: Actor, password: str, **flags: Any) -> User:
    """Return the user with this e-mail, made if there is none: somebody may work at two clinics."""
    known = User.objects.filter(email=person["email"], deleted_at=None).first()
    if known is not None:
        return known
    user = users.create(email=person["email"], name=person["name"], by=by, confirmed=True, **flags)
    user.password = password
    user.save(update_fields=["password"])
    return users.know_as(user, subject=f"dev_{user.pk}", by=by)


def logins(clinics: list[Organization], *, by: Actor) -> Iterator[dict[str, Any]]:
    """Yield everybody who may sign in: the superadmin, then each clinic's people by role and name."""
    for user in User.objects.filter(email=plan()["superadmin"]["email"], is_superadmin=True, deleted_at=None):
        yield _login(user, "superadmin", None)
    for clinic in clinics:
        with acting_for(clinic.pk, actor=by, trace=Trace(source="command")):
            found = Membership.objects.filter(status=MembershipStatus.ACTIVE).select_related("user")
            for each in sorted(found, key=lambda each: (_ORDER.index(each.role), each.user.name)):
                yield _login(each.user, each.role, clinic)


def _login(user: User, role: str, clinic: Organization | None) -> dict[str, Any]:
    return {
        "role": role,
        "name": user.name,
        "email": user.email,
        "password": plan()["password"],
        "token": token_of(user),
        "organization": clinic.slug if clinic else None,
        "organization_id": clinic.pk if clinic else None,
        "user_id": user.pk,
    }


def token_of(user: User, *, hours: float = TOKEN_HOURS) -> str | None:
    """Return a session token of the development issuer, None where no such token is believed."""
    if not settings.DEVELOPMENT_ISSUER or user.clerk_user_id is None:
        return None
    return tokens.issue_development_token(user.clerk_user_id, hours=hours)
