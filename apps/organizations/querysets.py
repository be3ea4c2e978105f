"""Named row filters of organizations and memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import Exists, Manager, OuterRef, QuerySet, Subquery

if TYPE_CHECKING:
    from apps.organizations.models.organizations import Organization  # noqa: F401 (named in the generic base)


class OrganizationQuerySet(QuerySet["Organization"]):
    """Organizations; their rows belong to no clinic, so each use says whose they are."""

    def alive(self) -> Self:
        """Leave out the deleted ones."""
        return self.filter(deleted_at=None)

    def joined_by(self, user_id: int) -> Self:
        """Keep those in which the user is an active member."""
        return self.filter(Exists(_memberships_of(user_id)))

    def with_role_of(self, user_id: int) -> Self:
        """Add `my_role`: the role of the user's active membership, None without one."""
        return self.annotate(my_role=Subquery(_memberships_of(user_id).values("role")[:1]))


OrganizationManager = Manager.from_queryset(OrganizationQuerySet)


def _memberships_of(user_id: int) -> QuerySet:
    from apps.organizations.lifecycles import MembershipStatus
    from apps.organizations.models.memberships import Membership

    return Membership.everywhere.filter(organization=OuterRef("pk"), user_id=user_id, status=MembershipStatus.ACTIVE)
