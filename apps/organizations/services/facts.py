"""Facts: one row for each thing that happened, in the transaction that made it happen; the rows are the outbox."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

from django.db import connection, transaction

from apps.organizations.models import Fact
from restartix.kernel import clock, tenancy
from restartix.kernel.facts import Announcement
from restartix.kernel.transactions import joins_transaction

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Heard by reactions only, never sent outside.
_INSIDE = "internal."

# One statement writes the event and a delivery for each active subscription that listens: a fact is on the path of
# every booking, and a round trip for webhooks that most clinics do not have would be felt there.
_RECORD = """
WITH fact AS (
    INSERT INTO organizations_fact
           (organization_id, event_id, name, payload, at, request_id, relayed_at, failures, not_before)
    VALUES (%(organization)s, %(event)s, %(name)s, %(payload)s::jsonb, %(at)s, %(request)s, NULL, 0, %(at)s)
    RETURNING id
), told AS (
    INSERT INTO organizations_webhookdelivery
           (organization_id, fact_id, subscription_id, status, attempt_count, next_attempt_at, created_at)
    SELECT s.organization_id, fact.id, s.id, 'pending', 0, %(at)s, %(at)s
      FROM fact JOIN organizations_webhooksubscription s ON s.organization_id = %(organization)s
     WHERE s.is_active AND s.events && %(heard)s::varchar[]
    RETURNING id
) SELECT fact.id, (SELECT count(*) FROM told) FROM fact
"""


@joins_transaction
def record(announcement: Announcement) -> Fact:
    """Write the fact, and the deliveries to who listens, beside the change it tells of; all go on after the commit.

    Joins the open transaction and never opens one: a fact of its own would tell of something that may not happen.
    """
    scope = tenancy.current()
    now = clock.now()
    fact = Fact(
        event_id=f"evt_{new_ulid()}",
        name=announcement.name,
        payload=announcement.payload(),
        request_id=scope.trace.request_id if scope else None,
        at=now,
        not_before=now,
    )
    fact.pk, deliveries = _insert(fact)
    transaction.on_commit(_wake, robust=True)
    if deliveries:
        transaction.on_commit(_wake_sender, robust=True)
    return fact


def _insert(fact: Fact) -> tuple[int, int]:
    """Return the fact's key and how many deliveries were written."""
    is_inside = fact.name.startswith(_INSIDE)
    values = {
        "organization": fact.organization_id,
        "event": fact.event_id,
        "name": fact.name,
        "payload": json.dumps(fact.payload),
        "at": fact.at,
        "request": fact.request_id,
        "heard": [] if is_inside else [fact.name, "*"],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, values)
        key, deliveries = cursor.fetchone()
    return key, deliveries


def _wake() -> None:
    """Tell the relay that something waits; losing the hint costs seconds, for the relay also looks by itself."""
    for hint in _listeners:
        hint()


def _wake_sender() -> None:
    """Tell the sender of webhooks that something waits; it looks by itself as well."""
    for hint in _senders:
        hint()


_listeners: list[Callable[[], None]] = []
_senders: list[Callable[[], None]] = []


def on_recorded(hint: Callable[[], None]) -> None:
    """Call `hint()` after each commit that wrote a fact; a door registers it (tasks.py), for services know no queue."""
    _listeners.append(hint)


def on_deliverable(hint: Callable[[], None]) -> None:
    """Call `hint()` after each commit that wrote a webhook delivery; a door registers it (tasks.py)."""
    _senders.append(hint)


def new_ulid() -> str:
    """Return a ULID: 48 bits of milliseconds and 80 random bits in Crockford's base 32."""
    number = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
