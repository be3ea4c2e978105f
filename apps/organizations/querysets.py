"""Named row filters of organizations, memberships, domains and webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db.models import BooleanField, Exists, ExpressionWrapper, Manager, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from restartix.kernel.tenancy import TenantManager, TenantQuerySet

if TYPE_CHECKING:
    from apps.organizations.models.domains import Domain  # noqa: F401 (named in the generic base)
    from apps.organizations.models.organizations import Organization  # noqa: F401 (named in the generic base)
    from apps.organizations.models.saved_views import SavedView  # noqa: F401 (named in the generic base)


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


class WebhookSubscriptionManager(TenantManager):
    """Subscriptions of the active organization, without those that were deleted."""

    def get_queryset(self) -> QuerySet:
        """Leave out the deleted ones."""
        return super().get_queryset().filter(deleted_at=None)


class DomainQuerySet(TenantQuerySet["Domain"]):
    """Domains of one organization."""

    def with_primary(self) -> Self:
        """Add `is_primary`: whether it is the earliest verified one of its kind in its organization."""
        from apps.organizations.lifecycles import DomainStatus
        from apps.organizations.models.domains import Domain

        alike = Domain.objects.filter(
            organization=OuterRef("organization"), kind=OuterRef("kind"), status=DomainStatus.VERIFIED
        )
        first = alike.order_by("verified_at", "pk").values("pk")[:1]
        return self.annotate(is_primary=ExpressionWrapper(Q(pk=Coalesce(Subquery(first), 0)), BooleanField()))


class DomainManager(TenantManager.from_queryset(DomainQuerySet)):  # type: ignore[misc]
    """Domains of the active organization."""


class SavedViewQuerySet(TenantQuerySet["SavedView"]):
    """Lists as somebody saved them."""

    def of(self, user_id: int | None, listed: str) -> Self:
        """Keep a person's own views of one list, by name."""
        return self.filter(user_id=user_id, listed=listed).order_by("name", "pk")


class SavedViewManager(TenantManager.from_queryset(SavedViewQuerySet)):  # type: ignore[misc]
    """Saved views of the active organization."""
