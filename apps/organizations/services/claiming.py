"""Taking deliveries that are due: fairly, under a lease, and within the ceiling of each clinic."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.organizations.domain import sharing
from apps.organizations.models import WebhookDelivery, WebhookSubscription
from apps.organizations.services import pacing, sending
from restartix.kernel.crypto import WrongSeal
from restartix.kernel.outbound.posting import RESOLVE_SECONDS, TIMEOUT_SECONDS
from restartix.kernel.transactions import joins_transaction

logger = logging.getLogger(__name__)

#: Longer than an attempt can take, so that a lease that has run out means a sender that is dead.
LEASE = timedelta(seconds=RESOLVE_SECONDS + TIMEOUT_SECONDS + 5)

_NOW = "SELECT COALESCE(%s, clock_timestamp())"
_ANY = """
SELECT EXISTS (
    SELECT FROM organizations_webhookdelivery d
      JOIN organizations_webhooksubscription s ON s.id = d.subscription_id
      JOIN organizations_organization o ON o.id = d.organization_id
     WHERE d.next_attempt_at <= COALESCE(%(at)s, clock_timestamp())
       AND o.status = 'active' AND o.deleted_at IS NULL AND s.is_active
       AND (d.lease_until IS NULL OR d.lease_until <= COALESCE(%(at)s, clock_timestamp())))
"""
_BUSY = """
SELECT d.organization_id, d.subscription_id, s.consecutive_failures >= %(failing)s, count(*)
  FROM organizations_webhookdelivery d JOIN organizations_webhooksubscription s ON s.id = d.subscription_id
 WHERE d.lease_until > %(now)s GROUP BY 1, 2, 3
"""
# The head of each subscription's queue, as long as its share: a long queue behind it costs nothing.
_WAITING = """
SELECT d.id, s.organization_id, s.id, d.next_attempt_at, s.consecutive_failures >= %(failing)s
  FROM organizations_webhooksubscription s
  JOIN organizations_organization o ON o.id = s.organization_id
 CROSS JOIN LATERAL (
    SELECT d.id, d.next_attempt_at FROM organizations_webhookdelivery d
     WHERE d.subscription_id = s.id AND d.next_attempt_at <= %(now)s
       AND (d.lease_until IS NULL OR d.lease_until <= %(now)s)
     ORDER BY d.next_attempt_at, d.id LIMIT %(share)s FOR UPDATE SKIP LOCKED) d
 WHERE o.status = 'active' AND o.deleted_at IS NULL AND s.is_active
"""
_LEASE = """
UPDATE organizations_webhookdelivery SET lease_until = %(until)s, lease_token = gen_random_uuid()
 WHERE id = ANY(%(keys)s::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that is ours to attempt until its lease runs out."""

    letter: sending.Letter
    at: datetime
    #: `time.monotonic()` of the moment in which the ceiling let it begin.
    permitted: float

    def await_turn(self) -> None:
        """Ask the ceiling again if the permission has grown old (a slow resolver, a busy machine)."""
        if time.monotonic() - self.permitted > sharing.SLACK.total_seconds() / 2:
            sending.await_turn(self.letter.organization_id)


@joins_transaction
def is_anything_due(*, at: datetime | None = None) -> bool:
    """Tell whether something could be sent now, or could but for a ceiling; `at` is the database's clock if None."""
    with connection.cursor() as cursor:
        cursor.execute(_ANY, {"at": at})
        return bool(cursor.fetchone()[0])


@joins_transaction
def claim(room: int, *, at: datetime | None = None) -> Sequence[Claim]:
    """Lease at most `room` deliveries that are due, across organizations; their attempts have to begin at once."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW, [at])
        (now,) = cursor.fetchone()
    busy = _busy(now)
    waiting = _waiting(now, busy)
    if not waiting:
        return []
    allowances = pacing.allowances({each.organization_id for each in waiting}, now=now)
    chosen = sharing.choose(waiting, busy=busy, allowances=allowances, room=room)
    if not chosen:
        return []
    pacing.begin(Counter(each.organization_id for each in chosen), now=now)
    return _leased([each.delivery_id for each in chosen], now)


def _busy(now: datetime) -> sharing.Busy:
    of_subscription: Counter[int] = Counter()
    of_organization: Counter[int] = Counter()
    failing = 0
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, {"now": now, "failing": sharing.FAILING_AFTER})
        for organization_id, subscription_id, is_failing, number in cursor.fetchall():
            of_subscription[subscription_id] += number
            of_organization[organization_id] += number
            failing += number if is_failing else 0
    return sharing.Busy(of_subscription, of_organization, failing)


def _waiting(now: datetime, busy: sharing.Busy) -> list[sharing.Waiting]:
    """Hold the heads of the queues, each as far as its subscription has room."""
    values: dict[str, Any] = {"now": now, "failing": sharing.FAILING_AFTER, "share": sharing.OF_SUBSCRIPTION}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        found = [sharing.Waiting(*row) for row in cursor.fetchall()]
    return sharing.within_shares(found, busy=busy)


def _leased(keys: Sequence[int], now: datetime) -> list[Claim]:
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, {"keys": list(keys), "until": now + LEASE})
    permitted = time.monotonic()
    rows = WebhookDelivery.objects.select_related("fact").filter(pk__in=keys)
    subscriptions = _opened({row.subscription_id for row in rows})
    order = {key: place for place, key in enumerate(keys)}
    return [
        Claim(sending.letter_of(row, to=subscriptions[row.subscription_id], at=now), now, permitted)
        for row in sorted(rows, key=lambda row: order[row.pk])
        if row.subscription_id in subscriptions
    ]


def _opened(keys: set[int]) -> dict[int, WebhookSubscription]:
    """Return the subscriptions with their secrets; one whose seal does not open waits until its key is back."""
    try:
        return WebhookSubscription.objects.in_bulk(keys)
    except WrongSeal:
        found = {}
    for key in keys:
        try:
            found[key] = WebhookSubscription.objects.get(pk=key)
        except WrongSeal:
            logger.exception("the secret of webhook subscription %s does not open", key)
        except WebhookSubscription.DoesNotExist:
            continue
    return found
