"""How the lists of organizations, members and domains are narrowed. Source: contract/organizations.md 2.2, 2.3, 3."""

from __future__ import annotations

from apps.organizations.lifecycles import DomainStatus, MembershipStatus, OrganizationStatus
from apps.organizations.models import DomainKind, MembershipRole
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


class DomainFilters(ApiFilterSet):
    """Filters of the list of domains."""

    kind = OneOf(DomainKind)
    status = OneOf(DomainStatus)
