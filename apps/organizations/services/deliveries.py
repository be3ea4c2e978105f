"""Deliveries that somebody asks for, are given up, or have served their time. Source: contract/organizations.md 1.7.

The scheduled ones are written by `facts.record` and sent by `dispatching`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db import connection
from django.db.models import F

from apps.organizations.errors import SubscriptionInactive
from apps.organizations.facts import WebhookTest
from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.models import AttemptKind, Fact, WebhookDelivery, WebhookSubscription
from apps.organizations.selectors.deliveries import whole
from apps.organizations.services import facts, sending
from restartix.kernel import clock
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Actor, Trace, across_organizations, acting_for, current
from restartix.kernel.transactions import joins_transaction

KEPT = timedelta(days=30)
#: A test whose sender was killed is given up after this.
LONGEST_TEST = timedelta(minutes=2)
ACTOR = Actor.system("purge_webhook_events")
OPEN = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)


@joins_transaction
def discard(subscription_ids: Collection[int]) -> int:
    """Give up what waits for these subscriptions, whose rows the caller holds, and return how many deliveries."""
    waiting = WebhookDelivery.objects.filter(subscription_id__in=subscription_ids, status__in=OPEN)
    return waiting.update(status=DeliveryStatus.DISCARDED, next_attempt_at=None, completed_at=clock.now())


@joins_transaction
def resend(delivery: WebhookDelivery, *, by: Actor) -> Outside[int]:
    """Attempt the delivery once more, whatever its state, after the commit; gives the delivery as it is then.

    The schedule goes on if it fails, and is closed if it succeeds. Raises SubscriptionInactive (409).
    """
    if not WebhookSubscription.objects.filter(pk=delivery.subscription_id, is_active=True).exists():
        raise SubscriptionInactive
    return _asked_for(delivery, kind=AttemptKind.RESEND, by=by)


@joins_transaction
def send_test(subscription: WebhookSubscription, *, by: Actor) -> Outside[int]:
    """Send `webhook.test` once after the commit, to an inactive subscription too; gives the delivery as it is then.

    It is `delivered` or `exhausted`, and leaves the failure streak alone.
    """
    announcement = WebhookTest(subscription_uid=str(subscription.uid))
    fact = Fact.objects.create(
        event_id=f"evt_{facts.new_ulid()}",
        name=announcement.name,
        payload=announcement.payload(),
        relayed_at=clock.now(),
    )
    delivery = WebhookDelivery.objects.create(fact=fact, subscription=subscription, created_at=fact.at)
    return _asked_for(delivery, kind=AttemptKind.TEST, by=by)


def _asked_for(delivery: WebhookDelivery, *, kind: AttemptKind, by: Actor) -> Outside[int]:
    scope = current()
    assert delivery.organization_id is not None
    trace, key, organization_id = scope.trace if scope else Trace(), delivery.pk, delivery.organization_id

    def work() -> int:
        sending.attempt_now(key, kind=kind, within=lambda: acting_for(organization_id, actor=by, trace=trace))
        return key

    return Outside(work, answer=read)


def read(delivery_id: int) -> WebhookDelivery:
    """Return the delivery with its event and its attempts."""
    return whole(WebhookDelivery.objects.all()).get(pk=delivery_id)


# Facts have other hearers as well: only what was relayed and is delivered nowhere goes.
_PURGE = """
WITH old AS (
    DELETE FROM organizations_webhookattempt a USING organizations_webhookdelivery d
     WHERE d.id = a.delivery_id AND d.created_at < %(before)s AND d.completed_at IS NOT NULL RETURNING 1
) SELECT count(*) FROM old
"""
_PURGE_DELIVERIES = """
WITH old AS (
    DELETE FROM organizations_webhookdelivery WHERE created_at < %(before)s AND completed_at IS NOT NULL RETURNING 1
) SELECT count(*) FROM old
"""
_PURGE_FACTS = """
WITH old AS (
    DELETE FROM organizations_fact f WHERE f.at < %(before)s AND f.relayed_at IS NOT NULL
       AND NOT EXISTS (SELECT FROM organizations_webhookdelivery d WHERE d.fact_id = f.id) RETURNING 1
) SELECT count(*) FROM old
"""


def purge() -> int:
    """Delete events, deliveries and attempts that are over and 30 days old, and subscriptions deleted before them.

    Returns how many deliveries and events went.
    """
    before = clock.now() - KEPT
    with across_organizations(reason="purge webhook events", actor=ACTOR, trace=Trace(source="task")):
        with connection.cursor() as cursor:
            counts = []
            for statement in (_PURGE, _PURGE_DELIVERIES, _PURGE_FACTS):
                cursor.execute(statement, {"before": before})
                counts.append(cursor.fetchone()[0])
        gone = WebhookSubscription.with_deleted.filter(deleted_at__lt=before, deliveries=None)
        gone.delete()
    return sum(counts[1:])


def tidy() -> int:
    """Close what a crash or a race left open: tests without a sender, and what waits for an inactive subscription."""
    now = clock.now()
    closed = {"next_attempt_at": None, "completed_at": now}
    with across_organizations(reason="close what was left open", actor=ACTOR, trace=Trace(source="task")):
        due = WebhookDelivery.objects.filter(status__in=OPEN, next_attempt_at__lte=now)
        waiting = due.filter(subscription__is_active=False)
        lost = WebhookDelivery.objects.filter(
            status=DeliveryStatus.PENDING, next_attempt_at=None, created_at__lt=now - LONGEST_TEST
        )
        return waiting.update(status=DeliveryStatus.DISCARDED, **closed) + lost.update(
            status=DeliveryStatus.EXHAUSTED, attempt_count=F("attempt_count"), **closed
        )
