"""Rows of the ground floor: organizations, people with a login, and the record of what happened."""

from apps.organizations.models.audit import AuditEntry
from apps.organizations.models.facts import Fact
from apps.organizations.models.idempotency import IdempotencyRecord
from apps.organizations.models.memberships import Membership
from apps.organizations.models.organizations import Domain, Organization
from apps.organizations.models.users import User

__all__ = ["AuditEntry", "Domain", "Fact", "IdempotencyRecord", "Membership", "Organization", "User"]
