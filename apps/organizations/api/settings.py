"""The settings of an organization as they are sent and shown; sent ones are merged key by key.

Source: contract/organizations.md 1.3.1.
"""

from __future__ import annotations

from typing import Any

from apps.organizations.models import ConsentType
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, Representation


class PolicyBody(Body):
    """The current text of one policy."""

    version = fields.Text(max_length=32)
    url = fields.Url(schemes=["https"])


class PoliciesBody(Body):
    """Policies by consent type; null removes one."""

    def get_fields(self) -> dict[str, Any]:
        """Declare one optional policy for each type of consent."""
        return {kind: PolicyBody(allow_null=True, required=False) for kind in ConsentType.values}


class SettingsBody(Body):
    """Some of the settings."""

    required_consents = fields.ListOf(
        fields.Choice(ConsentType), unique=True, max_items=len(ConsentType), required=False
    )
    policies = PoliciesBody(sent_only=True, required=False)
    suspend_on_expired_license = fields.Boolean(required=False)
    low_rating_threshold = fields.Integer(min_value=0, max_value=5, required=False)
    appointment_reminder_hours = fields.Integer(min_value=0, max_value=168, required=False)


class PolicyShape(Representation):
    """The current text of one policy."""

    version = fields.Text(max_length=32)
    url = fields.Url()


class PoliciesShape(Representation):
    """Policies by consent type; only those that there are."""

    def get_fields(self) -> dict[str, Any]:
        """Declare one optional policy for each type of consent."""
        return {kind: PolicyShape(required=False) for kind in ConsentType.values}


class SettingsShape(Representation):
    """Every setting."""

    required_consents = fields.ListOf(fields.Choice(ConsentType))
    policies = PoliciesShape()
    suspend_on_expired_license = fields.Boolean()
    low_rating_threshold = fields.Integer()
    appointment_reminder_hours = fields.Integer()
