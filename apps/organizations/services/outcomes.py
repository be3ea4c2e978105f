"""What came of attempts, written down in one transaction: the attempt, its delivery, its subscription's streak.

Locks subscriptions, then deliveries, each in the order of their keys. Source: contract/organizations.md 1.6, 1.7.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Max

from apps.organizations.domain.retries import Streak, next_attempt
from apps.organizations.facts import WebhookGivenUp
from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.models import AttemptKind, DisabledReason, WebhookAttempt, WebhookDelivery, WebhookSubscription
from apps.organizations.services import facts
from restartix.kernel.outbound.posting import Outcome
from restartix.kernel.tenancy import Actor, acting_for
from restartix.kernel.transactions import joins_transaction

logger = logging.getLogger(__name__)
ACTOR = Actor.system("deliver_webhooks")
GONE = 410
OPEN = (DeliveryStatus.PENDING, DeliveryStatus.RETRYING)


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt that is over. `token` is the lease's, None for one that somebody asked for."""

    delivery_id: int
    subscription_id: int
    kind: AttemptKind
    at: datetime
    outcome: Outcome
    token: UUID | None = None

    @property
    def is_success(self) -> bool:
        """Tell whether the receiver took it."""
        return self.outcome.failure is None


@joins_transaction
def record(attempted: Sequence[Attempted], *, chance: Callable[[], float] = random.random) -> None:
    """Write the attempts down; one whose lease another sender has taken over since is passed over.

    `chance` gives the numbers, 0 to 1, by which delays are shortened.
    """
    subscriptions = _subscriptions({each.subscription_id for each in attempted})
    deliveries = _deliveries({each.delivery_id for each in attempted})
    numbers = _numbers(deliveries)
    rows, given_up = [], []
    for each in attempted:
        delivery, subscription = deliveries.get(each.delivery_id), subscriptions.get(each.subscription_id)
        if delivery is None or subscription is None or (each.token and delivery.lease_token != each.token):
            logger.warning("the outcome of delivery %s came too late", each.delivery_id)
            continue
        numbers[delivery.pk] = numbers.get(delivery.pk, 0) + 1
        rows.append(_row(each, delivery, numbers[delivery.pk]))
        _advance(delivery, each, chance)
        if _note(subscription, delivery, each):
            given_up.append(subscription)
    WebhookAttempt.objects.bulk_create(rows)
    _save(deliveries.values(), subscriptions.values())
    _give_up(given_up)


# One statement a table, whose text is always the same: while an outcome is not written, a crash repeats its request.
_SAVE_DELIVERIES = """
UPDATE organizations_webhookdelivery d
   SET status = v.status, attempt_count = v.attempts, next_attempt_at = v.next_at, completed_at = v.completed,
       lease_until = v.lease, lease_token = v.token
  FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::uuid[])
       AS v (id, status, attempts, next_at, completed, lease, token) WHERE d.id = v.id
"""
_SAVE_SUBSCRIPTIONS = """
UPDATE organizations_webhooksubscription s
   SET consecutive_failures = v.failures, failing_since = v.since, last_delivery_at = v.delivered,
       is_active = v.active, disabled_at = v.disabled, disabled_reason = v.reason
  FROM unnest(%s::bigint[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::bool[], %s::timestamptz[], %s::text[])
       AS v (id, failures, since, delivered, active, disabled, reason) WHERE s.id = v.id
"""


def _save(deliveries: Iterable[WebhookDelivery], subscriptions: Iterable[WebhookSubscription]) -> None:
    moved = [
        (d.pk, str(d.status), d.attempt_count, d.next_attempt_at, d.completed_at, d.lease_until, d.lease_token)
        for d in deliveries
    ]
    noted = [
        (
            s.pk, s.consecutive_failures, s.failing_since, s.last_delivery_at, s.is_active, s.disabled_at,
            s.disabled_reason and str(s.disabled_reason),
        )
        for s in subscriptions
    ]  # fmt: skip
    with connection.cursor() as cursor:
        for statement, rows in ((_SAVE_DELIVERIES, moved), (_SAVE_SUBSCRIPTIONS, noted)):
            if rows:
                cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])


def _subscriptions(keys: Iterable[int]) -> dict[int, WebhookSubscription]:
    """Hold the subscriptions; their secrets are not opened."""
    rows = WebhookSubscription.with_deleted.defer("secret", "previous_secret").select_for_update(no_key=True)
    return {row.pk: row for row in rows.filter(pk__in=keys).order_by("pk")}


def _deliveries(keys: Iterable[int]) -> dict[int, WebhookDelivery]:
    rows = WebhookDelivery.objects.select_for_update(no_key=True).filter(pk__in=keys)
    return {row.pk: row for row in rows.order_by("pk")}


def _numbers(keys: Iterable[int]) -> dict[int, int]:
    """Return the number of each delivery's latest attempt."""
    known = WebhookAttempt.objects.filter(delivery__in=list(keys)).order_by().values("delivery")
    return dict(known.annotate(latest=Max("number")).values_list("delivery", "latest"))


def _row(each: Attempted, delivery: WebhookDelivery, number: int) -> WebhookAttempt:
    outcome = each.outcome
    return WebhookAttempt(
        organization_id=delivery.organization_id,
        delivery=delivery,
        number=number,
        kind=each.kind,
        at=each.at,
        duration_ms=outcome.duration_ms,
        response_code=outcome.response_code,
        error=outcome.failure,
        response_snippet=outcome.snippet,
    )


def _advance(delivery: WebhookDelivery, each: Attempted, chance: Callable[[], float]) -> None:
    """Move the delivery on; a lease ends with the attempt that it was given for."""
    is_open = delivery.status in OPEN
    if each.kind != AttemptKind.RESEND:
        delivery.lease_until = delivery.lease_token = None
        delivery.attempt_count += 1
    if each.is_success and (is_open or each.kind == AttemptKind.RESEND):
        _complete(delivery, DeliveryStatus.DELIVERED, each.at)
    elif is_open and each.outcome.response_code == GONE:
        _complete(delivery, DeliveryStatus.EXHAUSTED, each.at)
    elif is_open and each.kind != AttemptKind.RESEND:
        again = next_attempt(each.at, attempts=delivery.attempt_count, chance=chance())
        if again is None or each.kind == AttemptKind.TEST:
            _complete(delivery, DeliveryStatus.EXHAUSTED, each.at)
        else:
            delivery.status, delivery.next_attempt_at = DeliveryStatus.RETRYING, again


def _complete(delivery: WebhookDelivery, status: DeliveryStatus, at: datetime) -> None:
    delivery.status, delivery.next_attempt_at, delivery.completed_at = status, None, at


def _note(subscription: WebhookSubscription, delivery: WebhookDelivery, each: Attempted) -> bool:
    """Note the outcome with the subscription; tell whether this attempt switched it off."""
    if each.is_success:
        subscription.last_delivery_at = each.at
    if each.kind == AttemptKind.TEST:
        return False
    if each.is_success:
        subscription.consecutive_failures, subscription.failing_since = 0, None
        return False
    streak = Streak(subscription.consecutive_failures, subscription.failing_since).failed(each.at)
    subscription.consecutive_failures, subscription.failing_since = streak.failures, streak.since
    if not subscription.is_active:
        return False
    if each.outcome.response_code == GONE:
        reason = DisabledReason.GONE
    elif streak.is_hopeless(each.at):
        reason = DisabledReason.FAILING
    else:
        return False
    subscription.is_active, subscription.disabled_at, subscription.disabled_reason = False, each.at, reason
    return True


def _give_up(subscriptions: Sequence[WebhookSubscription]) -> None:
    """Discard what waits for subscriptions that were switched off just now; of failing ones the admins are told."""
    for subscription in subscriptions:
        waiting = WebhookDelivery.objects.filter(subscription=subscription, status__in=OPEN)
        waiting.update(status=DeliveryStatus.DISCARDED, next_attempt_at=None, completed_at=subscription.disabled_at)
        if subscription.disabled_reason == DisabledReason.FAILING:
            assert subscription.organization_id is not None
            with acting_for(subscription.organization_id, actor=ACTOR):
                facts.record(WebhookGivenUp(subscription_id=subscription.pk))
