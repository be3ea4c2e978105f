"""What the operations of domains and integration keys give. Source: contract/organizations.md 1.4, 1.5."""

from __future__ import annotations

from apps.organizations.api.shapes import UserRef
from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import Domain, DomainKind, Service
from apps.organizations.models.domains import DomainError
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation


class VerificationShape(Representation):
    """The TXT record that proves the domain."""

    examples = {
        "record_name": "_restartix-verify.portal.clinica-sud.example",
        "record_value": "restartix-verify=9f86d081884c7d659a2feaa0c55ad015",
    }

    record_type = fields.Text(max_length=3)
    record_name = fields.Text(max_length=300)
    record_value = fields.Text(max_length=64)

    def to_representation(self, instance: Domain) -> dict[str, str]:
        """Write the record as it has to be published."""
        return {"record_type": "TXT", "record_name": instance.record_name, "record_value": instance.record_value}


class DomainShape(Representation):
    """A domain of a clinic's own, and how far its proof has come."""

    examples = {"domain": "portal.clinica-sud.example"}

    id = fields.Id()
    domain = fields.Text(max_length=253)
    kind = fields.Choice(DomainKind)
    status = fields.Choice(DomainStatus)
    is_primary = fields.Boolean()
    verification = VerificationShape(source="*")
    verified_at = fields.Instant(allow_null=True)
    last_checked_at = fields.Instant(allow_null=True)
    last_error = fields.Choice(DomainError, allow_null=True)
    created_at = fields.Instant()


class ApiKeyShape(Representation):
    """A key for an outside service, without the key."""

    examples = {"title": "production", "last4": "ABCD"}

    id = fields.Id()
    service = fields.Choice(Service)
    title = fields.Text(max_length=100, allow_null=True)
    last4 = fields.Text(max_length=4, allow_null=True)
    created_by = UserRef(allow_null=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()
