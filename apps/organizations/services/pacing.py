"""The ceiling of each clinic: fifty attempts in any five seconds begin, the others wait, none is dropped.

Kept in PostgreSQL, so that it holds over all processes and whatever happens to Redis. A permission that leads to no
attempt (a killed sender) costs the clinic five seconds of one place, no more.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from django.db import connection

from apps.organizations.domain import sharing
from restartix.kernel.transactions import joins_transaction

_KNOWN = (
    "INSERT INTO organizations_webhookpace (organization_id, begun) SELECT key, '{}' FROM unnest(%s::bigint[]) key "
    "ON CONFLICT (organization_id) DO NOTHING"
)
# Rows that another sender holds are left out: their clinics are looked at again in a moment.
_HELD = (
    "SELECT organization_id, begun FROM organizations_webhookpace WHERE organization_id = ANY(%s::bigint[]) "
    "ORDER BY organization_id FOR UPDATE SKIP LOCKED"
)
_BEGIN = """
UPDATE organizations_webhookpace p
   SET begun = ARRAY(SELECT b FROM unnest(p.begun) b WHERE b > %(now)s::timestamptz - %(kept)s::interval)
               || array_fill(%(now)s::timestamptz, ARRAY[v.number])
  FROM unnest(%(keys)s::bigint[], %(numbers)s::int[]) AS v (key, number) WHERE p.organization_id = v.key
"""
PAUSE_SECONDS = 0.1


@joins_transaction
def allowances(organization_ids: Collection[int], *, now: datetime) -> dict[int, int]:
    """Hold the clinics' paces and return how many attempts each may begin; a clinic held elsewhere is left out."""
    keys = sorted(set(organization_ids))
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [keys])
        found = dict(cursor.fetchall())
        if missing := [key for key in keys if key not in found]:
            cursor.execute(_KNOWN, [missing])
            cursor.execute(_HELD, [missing])
            found |= dict(cursor.fetchall())
    return {key: sharing.allowance(begun, now=now) for key, begun in found.items()}


@joins_transaction
def begin(numbers: Mapping[int, int], *, now: datetime) -> None:
    """Note that so many attempts of each clinic begin now; the caller holds their paces."""
    values: dict[str, Any] = {"now": now, "kept": sharing.WINDOW + sharing.SLACK}
    values |= {"keys": list(numbers), "numbers": list(numbers.values())}
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)


def wait_for_turn(
    organization_id: int, *, within: Callable[[], AbstractContextManager[object]], patience_seconds: float
) -> bool:
    """Wait until one attempt of the clinic may begin, and note it; False if it might not within the patience.

    `within` opens the transaction of each look; none is open between them.
    """
    end = time.monotonic() + patience_seconds
    while True:
        with within():
            now = _database_now()
            if allowances([organization_id], now=now).get(organization_id, 0) > 0:
                begin(Counter([organization_id]), now=now)
                return True
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE_SECONDS)


def _database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now
