"""Rows of the ground floor: organizations, people with a login, and the record of what happened."""

from apps.organizations.models.arrivals import ArrivalOutcome, IdentityEvent
from apps.organizations.models.audit import AuditEntry
from apps.organizations.models.chain import AuditHead, AuditSealing
from apps.organizations.models.domains import Domain, DomainKind
from apps.organizations.models.facts import Fact
from apps.organizations.models.idempotency import IdempotencyRecord
from apps.organizations.models.keys import ApiKey, Service
from apps.organizations.models.memberships import Membership, MembershipRole
from apps.organizations.models.organizations import ConsentType, Organization
from apps.organizations.models.pictures import Picture, PictureKind
from apps.organizations.models.saved_views import SavedView
from apps.organizations.models.users import User
from apps.organizations.models.webhooks import (
    AttemptError,
    AttemptKind,
    DisabledReason,
    WebhookAttempt,
    WebhookDelivery,
    WebhookPace,
    WebhookSubscription,
)

__all__ = [
    "ApiKey",
    "ArrivalOutcome",
    "AttemptError",
    "AttemptKind",
    "AuditEntry",
    "AuditHead",
    "AuditSealing",
    "ConsentType",
    "DisabledReason",
    "Domain",
    "DomainKind",
    "Fact",
    "IdempotencyRecord",
    "IdentityEvent",
    "Membership",
    "MembershipRole",
    "Organization",
    "Picture",
    "PictureKind",
    "SavedView",
    "Service",
    "User",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookPace",
    "WebhookSubscription",
]
