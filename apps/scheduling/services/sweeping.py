"""Sweeping: tidying up after holds; nothing waits for it, for a lapsed hold never blocks.

Source: contract/scheduling.md 1.4, 1.5.
"""

from __future__ import annotations

from django.db import connection

from apps.scheduling.services.announcements import BoardChanged, HoldChanged, SlotChanged, announce
from restartix.kernel.tenancy import Actor, Trace, across_organizations

ACTOR = Actor.system("sweep_holds")

# SKIP LOCKED: a hold that is being booked or released at this moment is not this task's business.
_SWEEP = """
WITH lapsed AS (
    SELECT id FROM scheduling_hold WHERE status = 'live' AND expires_at <= clock_timestamp()
     ORDER BY id LIMIT 1000 FOR UPDATE SKIP LOCKED
), ended AS (
    UPDATE scheduling_hold h SET status = 'expired', finished_at = h.expires_at FROM lapsed WHERE h.id = lapsed.id
    RETURNING h.id, h.hold_id, h.organization_id, h.client_hash, h.address_hash
), freed AS (
    DELETE FROM scheduling_claim c USING ended WHERE c.hold_id = ended.id
    RETURNING c.hold_id, c.specialist_id, c.starts_at, c.ends_at
), trail AS (
    INSERT INTO scheduling_holdevent (organization_id, hold_id, type, at, client_hash, address_hash)
    SELECT organization_id, hold_id, 'expired', clock_timestamp(), client_hash, address_hash FROM ended
)
SELECT ended.organization_id, ended.hold_id, freed.specialist_id, freed.starts_at, freed.ends_at
  FROM ended LEFT JOIN freed ON freed.hold_id = ended.id
"""
_PURGE = "DELETE FROM scheduling_hold WHERE status <> 'live' AND finished_at < clock_timestamp() - interval '24 hours'"
_PURGE_TRAIL = "DELETE FROM scheduling_holdevent WHERE at < clock_timestamp() - interval '90 days'"


def sweep() -> int:
    """End the holds that have lapsed, free their time, announce it, and return how many there were."""
    reason = "tidy up after lapsed holds of every clinic"
    with across_organizations(reason=reason, actor=ACTOR, trace=Trace(source="task")), connection.cursor() as cursor:
        cursor.execute(_SWEEP)
        rows = cursor.fetchall()
        announce(*{BoardChanged(row[0]) for row in rows})
        for _organization, hold_id, specialist_id, starts_at, ends_at in rows:
            announce(HoldChanged(hold_id))
            if specialist_id is not None:
                announce(SlotChanged(specialist_id, starts_at, ends_at, "free"))
    return len(rows)


def purge() -> int:
    """Delete ended holds after 24 hours and their trails after 90 days; return how many holds went."""
    reason = "purge ended holds of every clinic"
    with across_organizations(reason=reason, actor=ACTOR, trace=Trace(source="task")), connection.cursor() as cursor:
        cursor.execute(_PURGE)
        gone = int(cursor.rowcount)
        cursor.execute(_PURGE_TRAIL)
    return gone
