"""Busy time: the live claims of specialists, as the slot arithmetic reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from restartix.kernel.tenancy import active_organization_id

#: No claim is longer: an appointment lasts 24 hours at most, its gap 2 (contract/scheduling.md 1.1, 1.3).
LONGEST_CLAIM_SECONDS = 26 * 3600

# A hold's claim whose hold has lapsed never blocks; "lapsed" is judged by the database clock alone.
_BUSY = """
SELECT c.specialist_id, extract(epoch FROM c.starts_at)::bigint, extract(epoch FROM c.ends_at)::bigint
  FROM scheduling_claim c LEFT JOIN scheduling_hold h ON h.id = c.hold_id
 WHERE c.organization_id = %s AND c.specialist_id = ANY(%s)
   AND c.starts_at > to_timestamp(%s) AND c.starts_at < to_timestamp(%s) AND c.ends_at > to_timestamp(%s)
   AND (h.id IS NULL OR h.expires_at > clock_timestamp())
   AND (%s::bigint IS NULL OR c.appointment_id IS DISTINCT FROM %s)
"""


def busy_periods(
    specialist_ids: Sequence[int], *, start: int, end: int, except_appointment: int | None = None
) -> dict[int, list[tuple[int, int]]]:
    """Return each specialist's live claims that touch [start, end), in epoch seconds, gaps included.

    One statement. `except_appointment` leaves out that appointment's own claim.
    """
    periods: dict[int, list[tuple[int, int]]] = {specialist_id: [] for specialist_id in specialist_ids}
    if not specialist_ids:
        return periods
    parameters: list[Any] = [active_organization_id(), list(specialist_ids), start - LONGEST_CLAIM_SECONDS, end, start]
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [*parameters, except_appointment, except_appointment])
        for specialist_id, starts_at, ends_at in cursor.fetchall():
            periods[specialist_id].append((starts_at, ends_at))
    return periods
