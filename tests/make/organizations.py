"""Organizations, users and memberships."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from apps.organizations.models import Membership, Organization, User
from apps.organizations.services import memberships, organizations, users
from restartix.kernel.tenancy import Actor, acting_for, outside_organizations

SYSTEM = Actor.system("tests")


def within(organization: Organization) -> AbstractContextManager[Any]:
    """Act in the organization, as the tests themselves."""
    return acting_for(organization.pk, actor=SYSTEM)


def organization(slug: str, **fields: Any) -> Organization:
    """A clinic; `clinica-sud` is called `Clinica Sud` unless a name is given."""
    with outside_organizations(actor=SYSTEM):
        return organizations.create(
            by=SYSTEM, slug=slug, name=fields.pop("name", slug.replace("-", " ").title()), **fields
        )


def user(name: str, **fields: Any) -> User:
    """Somebody with a login: `Ana Pop` is `ana.pop@example.org`, and tokens know her as `user_ana_pop`."""
    key = "_".join(name.lower().split())
    given = {
        "email": f"{key.replace('_', '.')}@example.org",
        "clerk_user_id": f"user_{key}",
        "confirmed": True,
        **fields,
    }
    with outside_organizations(actor=SYSTEM):
        return users.create(by=SYSTEM, name=name, **given)


def member(organization: Organization, user: User, role: str) -> Membership:
    """A membership; the organization becomes the user's current one where there is none."""
    with within(organization):
        return memberships.connect(by=SYSTEM, user_id=user.pk, role=role).membership
