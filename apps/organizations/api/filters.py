"""How the lists of organizations and members are narrowed. Source: contract/organizations.md 2.2, 3."""

from __future__ import annotations

from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import MembershipRole
from restartix.kernel.api.filters import ApiFilterSet, OneOf, Search


class OrganizationFilters(ApiFilterSet):
    """Filters of the list of organizations."""

    status = OneOf(OrganizationStatus)
    search = Search("name__unaccent", "slug")


class MemberFilters(ApiFilterSet):
    """Filters of the list of members."""

    role = OneOf(MembershipRole)
    status = OneOf(MembershipStatus)
    search = Search("user__name__unaccent", "user__email")
