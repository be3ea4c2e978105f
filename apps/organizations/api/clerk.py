"""Where the identity provider tells of people: signed events, checked over their raw bytes before anything reads them.

Source: contract/organizations.md 2.1.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import path
from rest_framework import serializers

from apps.organizations.errors import Unsigned
from apps.organizations.models import ArrivalOutcome
from apps.organizations.services import arrivals
from apps.organizations.services.arrivals import Told
from restartix.kernel import signatures
from restartix.kernel.api import fields
from restartix.kernel.api.operations import operation
from restartix.kernel.api.requests import trace_of
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.errors import Invalid, MalformedRequest, Unavailable
from restartix.kernel.roles import PUBLIC

logger = logging.getLogger("restartix.api")

LARGEST_EVENT_BYTES = 256 * 1024
LONGEST_TYPE = 100
#: Svix's own names of the three headers, and those of the Standard Webhooks specification.
FAMILIES = ("HTTP_SVIX", "HTTP_WEBHOOK")
RETRY_AFTER_SECONDS = 60

EXAMPLE = {
    "type": "user.created",
    "object": "event",
    "data": {
        "id": "user_ana",
        "email_addresses": [
            {"id": "e1", "email_address": "Ana@Example.org", "verification": {"status": "verified"}},
        ],
        "primary_email_address_id": "e1",
        "username": None,
        "first_name": "Ana",
        "last_name": "Pop",
        "updated_at": 1796119200000,
    },
}


class ClerkEvent(Body):
    """An event of the identity provider, with whatever it likes to send besides."""

    type = fields.Text(max_length=LONGEST_TYPE)
    object = fields.Text(max_length=LONGEST_TYPE, required=False)
    data_ = serializers.JSONField()


class ArrivalShape(Representation):
    """What became of an event."""

    status = fields.Choice([*ArrivalOutcome.values, arrivals.DUPLICATE])


class ClerkEvents(Resource):
    """Identity provider: its events about people, by Svix."""

    serializer_class = ArrivalShape
    tag = "Authentication & Users"
    may = {"receive": PUBLIC}
    told: Told

    def permit(self) -> None:
        """Check the signature over the raw bytes.

        Raises Unsigned (401), Unavailable (503) without a secret, PayloadTooLarge (413), UnsupportedMediaType (415) and
        MalformedRequest (400) for a body that is no JSON object.
        """
        if not settings.CLERK_WEBHOOK_SECRET:
            raise Unavailable("CLERK_WEBHOOK_SECRET is not set.", retry_after_seconds=RETRY_AFTER_SECONDS)
        key, timestamp, offered = _signed(self.request)
        if not self.sent.raw:
            self.sent.value()
        try:
            is_good = signatures.verify(
                settings.CLERK_WEBHOOK_SECRET,
                message_id=key,
                timestamp=timestamp,
                body=self.sent.raw,
                signatures=offered,
            )
        except signatures.BadSecret as error:
            logger.exception("CLERK_WEBHOOK_SECRET is not of the form whsec_<base64>")
            raise Unavailable(retry_after_seconds=RETRY_AFTER_SECONDS) from error
        if not is_good:
            raise Unsigned("bad_signature")
        if not signatures.is_current(timestamp, now=time.time()):
            raise Unsigned("timestamp_out_of_tolerance")
        self.told = _told(key, timestamp, self.sent.value() if self.sent.raw else None)

    def read_body(self, value: Any, operation: Any) -> dict[str, Any]:
        """Take what the provider sends: it may say more than we know of."""
        return {}

    @operation(
        body=ClerkEvent,
        request_example=EXAMPLE,
        response_example={"status": "processed"},
        max_bytes=LARGEST_EVENT_BYTES,
        errors=(Unsigned, Unavailable),
    )
    def receive(self, request: HttpRequest) -> dict[str, str]:
        """Take in one event: at most once, and newest last, whatever the order of arrival."""
        return {"status": arrivals.receive(self.told, trace=trace_of(request))}


def _signed(request: HttpRequest) -> tuple[str, str, str]:
    """Return id, timestamp and signatures of the first family of headers that is complete. Raises Unsigned (401)."""
    for family in FAMILIES:
        sent = [request.META.get(f"{family}_{name}", "").strip() for name in ("ID", "TIMESTAMP", "SIGNATURE")]
        if all(sent) and len(sent[0]) <= 255 and sent[0].isascii() and sent[0].isprintable():
            return sent[0], sent[1], sent[2]
    raise Unsigned("missing_signature")


def _told(key: str, timestamp: str, event: Any) -> Told:
    """Return the event. Raises MalformedRequest (400) for an empty body, Invalid (422) without a type."""
    if event is None:
        raise MalformedRequest("A JSON object is required.")
    kind = event.get("type")
    if not isinstance(kind, str) or not kind:
        raise Invalid({"type": ["the type of an event is expected"]})
    signed_at = datetime.fromtimestamp(int(timestamp), UTC)
    return Told(svix_id=key, type=kind[:LONGEST_TYPE], data=event.get("data"), signed_at=signed_at)


urlpatterns = [path("clerk", ClerkEvents.as_view({"post": "receive"}))]
