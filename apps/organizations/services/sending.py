"""One attempt: what is sent, signed for this moment, and where it may go. Source: contract/organizations.md 1.7."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from apps.organizations.domain import events, webhooks
from apps.organizations.models import AttemptKind, Fact, WebhookDelivery, WebhookSubscription
from apps.organizations.services import outcomes, pacing
from restartix.environment import env
from restartix.kernel import clock, signatures
from restartix.kernel.errors import Unavailable
from restartix.kernel.outbound.addresses import Address, is_loopback, is_public
from restartix.kernel.outbound.posting import Outcome, Poster
from restartix.kernel.outbound.resolving import resolver
from restartix.kernel.tenancy import Actor, acting_for

ACTOR = Actor.system("deliver_webhooks")
USER_AGENT = "RestartiX-Webhooks/1"
#: Somebody waits for the attempt: so long it may wait for its turn under the ceiling.
PATIENCE_SECONDS = 8


class LateTurn(RuntimeError):
    """The ceiling of a clinic left no room for an attempt whose permission had grown old."""


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything that a sender needs of one delivery, so that it needs no database."""

    delivery_id: int
    organization_id: int
    subscription_id: int
    url: str
    #: Newest first.
    secrets: Sequence[str]
    event_id: str
    body: bytes
    token: UUID | None = None


def reach() -> webhooks.Reach:
    """Return what the operator lets deliveries reach besides the public internet."""
    return webhooks.Reach(env.webhook_allowed_private_hosts, loopback=env.webhook_allow_private)


def _may_reach(host: str, address: Address) -> bool:
    own = reach()
    return is_public(address) or webhooks.is_excepted(host, reach=own) or (own.loopback and is_loopback(address))


def poster() -> Poster:
    """Return the sender that the settings describe; the authorities that it trusts are read once."""
    trusted = ssl.create_default_context()
    return Poster(_may_reach, resolve=resolver(env.dns_nameservers), tls=lambda: trusted)


def letter_of(delivery: WebhookDelivery, *, to: WebhookSubscription, at: datetime) -> Letter:
    """Return what is to be sent; during a rotation both secrets sign."""
    secrets = [str(to.secret or "")]
    assert delivery.organization_id is not None
    if to.previous_secret and (to.previous_secret_expires_at or at) > at:
        secrets.append(str(to.previous_secret))
    return Letter(
        delivery_id=delivery.pk,
        organization_id=delivery.organization_id,
        subscription_id=to.pk,
        url=to.url,
        secrets=secrets,
        event_id=delivery.fact.event_id,
        body=events.body_of(document_of(delivery.fact)),
        token=delivery.lease_token,
    )


def document_of(fact: Fact) -> dict[str, object]:
    """Return the document that receivers are sent of an event."""
    assert fact.organization_id is not None
    return events.envelope(
        event_id=fact.event_id,
        name=fact.name,
        at=fact.at,
        organization_id=fact.organization_id,
        data=fact.payload,
    )


def headers_of(letter: Letter, *, at: datetime) -> dict[str, str]:
    """Return the headers of an attempt, signed as made at `at`."""
    timestamp = int(at.timestamp())
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": letter.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures.sign_with_all(
            letter.secrets, message_id=letter.event_id, timestamp=timestamp, body=letter.body
        ),
    }


def send(letter: Letter, *, by: Poster, at: datetime, before: Callable[[], None] = lambda: None) -> Outcome:
    """Make the attempt; no transaction is open. `at` is signed as the moment of this attempt."""
    return by.post(letter.url, headers=headers_of(letter, at=at), body=letter.body, before=before)


def await_turn(organization_id: int) -> None:
    """Wait, in a sender's thread, until one more attempt of the clinic may begin.

    Raises LateTurn if the ceiling leaves no room in time: the lease lets the delivery be tried again.
    """
    try:
        if not pacing.wait_for_turn(
            organization_id, within=lambda: acting_for(organization_id, actor=ACTOR), patience_seconds=PATIENCE_SECONDS
        ):
            raise LateTurn
    finally:
        connection.close()


def attempt_now(delivery_id: int, *, kind: AttemptKind, within: Callable[[], AbstractContextManager[object]]) -> None:
    """Attempt the delivery at once and write down what came of it.

    `within` opens a transaction in the delivery's organization; none is open while the receiver is waited for.
    Raises Unavailable (503) if the clinic's ceiling leaves no room in time.
    """
    with within():
        delivery = WebhookDelivery.objects.select_related("fact").get(pk=delivery_id)
        subscription = WebhookSubscription.with_deleted.get(pk=delivery.subscription_id)
        letter = letter_of(delivery, to=subscription, at=clock.now())
    if not pacing.wait_for_turn(letter.organization_id, within=within, patience_seconds=PATIENCE_SECONDS):
        raise Unavailable("Too many deliveries begin at the moment.", retry_after_seconds=5)
    at = clock.now()
    outcome = send(letter, by=poster(), at=at)
    with within():
        outcomes.record([outcomes.Attempted(delivery_id, subscription.pk, kind, at, outcome)])
