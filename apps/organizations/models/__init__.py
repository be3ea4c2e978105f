"""Rows of the ground floor: organizations, people with a login, and the record of what happened."""

from apps.organizations.models.arrivals import ArrivalOutcome, IdentityEvent
from apps.organizations.models.audit import AuditEntry
from apps.organizations.models.chain import AuditHead, AuditSealing
from apps.organizations.models.facts import Fact
from apps.organizations.models.idempotency import IdempotencyRecord
from apps.organizations.models.memberships import Membership, MembershipRole
from apps.organizations.models.organizations import ConsentType, Domain, Organization
from apps.organizations.models.pictures import Picture, PictureKind
from apps.organizations.models.users import User

__all__ = [
    "ArrivalOutcome",
    "AuditEntry",
    "AuditHead",
    "AuditSealing",
    "ConsentType",
    "Domain",
    "Fact",
    "IdempotencyRecord",
    "IdentityEvent",
    "Membership",
    "MembershipRole",
    "Organization",
    "Picture",
    "PictureKind",
    "User",
]
