"""What the operations of outgoing webhooks take and give. Source: contract/organizations.md 1.6-1.8, 2.6, 3."""

from __future__ import annotations

from typing import Any

from apps.organizations.domain import events
from apps.organizations.domain.webhooks import EVENT_TYPES, EVERYTHING, LONGEST_URL, MOST_EVENTS
from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.models import AttemptError, AttemptKind, DisabledReason
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, Representation

_LISTENED = ["appointment.created", "appointment.cancelled"]
_TEST_EVENT = {
    "id": "evt_01KBC0DE0000000000000000TS",
    "type": "webhook.test",
    "timestamp": "2026-12-01T10:00:00Z",
    "organization_id": 7,
    "data": {"subscription_uid": "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11"},
}


class WebhookSubscriptionBody(Body):
    """What may be written of a subscription; the service judges where the address leads."""

    examples = {"url": "https://hooks.example.org/rx", "description": "The clinic's CRM", "events": _LISTENED}

    url = fields.Url(max_length=LONGEST_URL)
    events = fields.ListOf(fields.Choice([*EVENT_TYPES, EVERYTHING]), min_items=1, max_items=MOST_EVENTS, unique=True)
    description = fields.Text(max_length=200, allow_null=True, required=False)
    is_active = fields.Boolean(required=False)


class WebhookSubscriptionShape(Representation):
    """A subscription, without its secret."""

    #: What deliveries count is no change of the subscription: nobody's `If-Match` fails for it.
    volatile = ("consecutive_failures", "failing_since", "last_delivery_at")
    examples = {
        "uid": "3f0c2f57-6f3e-4f0b-9a55-0a3f5f1f7c11",
        "url": "https://hooks.example.org/rx",
        "description": "The clinic's CRM",
        "events": _LISTENED,
        "is_active": True,
        "consecutive_failures": 0,
        **dict.fromkeys(("previous_secret_expires_at", "failing_since", "disabled_at", "disabled_reason")),
    }

    uid = fields.Uuid()
    url = fields.Url(max_length=LONGEST_URL)
    description = fields.Text(max_length=200, allow_null=True)
    events = fields.ListOf(fields.Choice([*EVENT_TYPES, EVERYTHING]))
    is_active = fields.Boolean()
    previous_secret_expires_at = fields.Instant(allow_null=True)
    consecutive_failures = fields.Integer()
    failing_since = fields.Instant(allow_null=True)
    disabled_at = fields.Instant(allow_null=True)
    disabled_reason = fields.Choice(DisabledReason, allow_null=True)
    last_delivery_at = fields.Instant(allow_null=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()


class WebhookSubscriptionWithSecretShape(WebhookSubscriptionShape):
    """A subscription with its new secret, which no other answer holds."""

    examples = {
        **WebhookSubscriptionShape.examples,
        "secret": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    }

    secret = fields.Text(max_length=100)


class WebhookAttemptShape(Representation):
    """One request that was made for a delivery, and what came of it."""

    examples = {
        "number": 1,
        "kind": "test",
        "duration_ms": 84,
        "response_code": 200,
        "error": None,
        "response_snippet": "ok",
    }

    number = fields.Integer()
    kind = fields.Choice(AttemptKind)
    at = fields.Instant()
    duration_ms = fields.Integer()
    response_code = fields.Integer(allow_null=True)
    error = fields.Choice(AttemptError, allow_null=True)
    response_snippet = fields.Text(max_length=1024, allow_null=True)


def _document(event_id: str, name: str, at: Any, organization_id: int, data: Any) -> dict[str, Any]:
    """Return the body as it is sent."""
    return events.envelope(event_id=event_id, name=name, at=at, organization_id=organization_id, data=data)


class WebhookDeliveryShape(Representation):
    """One event on its way to one subscription."""

    examples = {
        "event_id": _TEST_EVENT["id"],
        "event_type": _TEST_EVENT["type"],
        "status": "delivered",
        "attempt_count": 1,
        "next_attempt_at": None,
        "payload": _TEST_EVENT,
    }

    id = fields.Id()
    event_id = fields.Text(max_length=30, source="fact.event_id")
    event_type = fields.Text(max_length=64, source="fact.name")
    status = fields.Choice(DeliveryStatus)
    attempt_count = fields.Integer(min_value=0, max_value=6)
    next_attempt_at = fields.Instant(allow_null=True)
    attempts = WebhookAttemptShape(many=True)
    payload = fields.Computed(
        fields.Object(), "fact.event_id", "fact.name", "fact.at", "fact.organization_id", "fact.payload", by=_document
    )
    created_at = fields.Instant()
    completed_at = fields.Instant(allow_null=True)
