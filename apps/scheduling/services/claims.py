"""Claims: taking, moving and giving back a stretch of a specialist's time.

The exclusion constraint `claim_specialist_free` is the only judge. Taking inserts with ON CONFLICT DO NOTHING, which
waits for a concurrent transaction on the same time and then either takes it or sees it taken: a plain INSERT under the
same load dies of deadlocks (docs/adr/0003-claims.md). Time that an appointment gives back is told to the waiting list.
Source: contract/scheduling.md 1.4, 2.3, 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from apps.organizations.services import facts
from apps.scheduling.errors import SlotUnavailable
from apps.scheduling.facts import TimeFreed
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, Claim
from apps.scheduling.services.announcements import HoldChanged, SlotChanged, announce
from restartix.kernel import clock
from restartix.kernel.errors import refusing
from restartix.kernel.tenancy import active_organization_id
from restartix.kernel.transactions import joins_transaction

# The claims of lapsed holds go, their holds are marked, the trail gets its line: one statement.
_CLEAR = """
WITH lapsed AS (
    DELETE FROM scheduling_claim c USING scheduling_hold h
     WHERE h.id = c.hold_id AND h.expires_at <= clock_timestamp() AND c.organization_id = %(organization)s
       AND c.specialist_id = ANY(%(specialists)s) AND c.starts_at < %(end)s AND c.ends_at > %(start)s
    RETURNING c.hold_id, c.specialist_id, c.starts_at, c.ends_at
), ended AS (
    UPDATE scheduling_hold SET status = 'expired', finished_at = expires_at
     WHERE id IN (SELECT hold_id FROM lapsed) AND status = 'live'
    RETURNING id, hold_id, client_hash, address_hash
), trail AS (
    INSERT INTO scheduling_holdevent (organization_id, hold_id, type, at, client_hash, address_hash)
    SELECT %(organization)s, hold_id, 'expired', clock_timestamp(), client_hash, address_hash FROM ended
)
SELECT ended.hold_id, lapsed.specialist_id, lapsed.starts_at, lapsed.ends_at
  FROM lapsed JOIN ended ON ended.id = lapsed.hold_id
"""


@joins_transaction
def clear_lapsed(specialist_ids: Sequence[int], *, start: datetime, end: datetime) -> int:
    """Remove the lapsed holds' claims that touch [start, end), announce them, and return how many there were."""
    given: dict[str, Any] = {
        "organization": active_organization_id(),
        "specialists": list(specialist_ids),
        "start": start,
        "end": end,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLEAR, given)
        rows = cursor.fetchall()
    for hold_id, specialist_id, starts_at, ends_at in rows:
        announce(HoldChanged(hold_id), SlotChanged(specialist_id, starts_at, ends_at, "free"))
    return len(rows)


# A refused row gives its number back to nobody: the sequence may skip.
_TAKE = """
INSERT INTO scheduling_claim (organization_id, specialist_id, starts_at, ends_at, appointment_id)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id
"""
_HOLDER = """
SELECT c.hold_id IS NOT NULL FROM scheduling_claim c
 WHERE c.organization_id = %s AND c.specialist_id = %s AND c.starts_at < %s AND c.ends_at > %s
   AND c.id <> %s ORDER BY c.starts_at LIMIT 1
"""


@joins_transaction
def take(appointment: Appointment) -> Claim:
    """Take the appointment's time, its gap included, for the appointment.

    Raises SlotUnavailable (409) if any of it is held or booked; `conflict` says by what.
    """
    start, end = appointment.started_at, claimed_until(appointment)
    clear_lapsed([appointment.specialist_id], start=start, end=end)
    organization = active_organization_id()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [organization, appointment.specialist_id, start, end, appointment.pk])
        row = cursor.fetchone()
    if row is None:
        raise SlotUnavailable(details={"conflict": conflicting_kind(appointment.specialist_id, start=start, end=end)})
    announce(SlotChanged(appointment.specialist_id, start, end, "taken"))
    return Claim(
        pk=row[0], specialist_id=appointment.specialist_id, starts_at=start, ends_at=end, appointment=appointment
    )


@joins_transaction
def move(appointment: Appointment, *, specialist_id: int, start: datetime, end: datetime) -> None:
    """Move the appointment's claim in place; a refusal leaves it where it was.

    `end` is the appointment's own end, the gap comes on top. Raises SlotUnavailable (409) if the new time is taken.
    """
    until = end + timedelta(minutes=appointment.gap_minutes)
    clear_lapsed([specialist_id], start=start, end=until)
    claim = Claim.objects.select_for_update().get(appointment=appointment)
    before = SlotChanged(claim.specialist_id, claim.starts_at, claim.ends_at, "free")
    try:
        with refusing(claim_specialist_free=SlotUnavailable):
            Claim.objects.filter(pk=claim.pk).update(specialist_id=specialist_id, starts_at=start, ends_at=until)
    except SlotUnavailable as taken:
        taken.details["conflict"] = conflicting_kind(specialist_id, start=start, end=until, but=claim)
        raise
    announce(before, SlotChanged(specialist_id, start, until, "taken"))
    if (claim.specialist_id, claim.starts_at) != (specialist_id, start):
        _tell_freed(appointment, claim)


@joins_transaction
def release(appointment: Appointment) -> None:
    """Give the appointment's time back; nothing happens where it has none."""
    claim = Claim.objects.filter(appointment=appointment).first()
    if claim is not None:
        claim.delete()
        announce(SlotChanged(claim.specialist_id, claim.starts_at, claim.ends_at, "free"))
        if appointment.status == AppointmentStatus.CANCELLED:  # a visit that ends early gives nothing back
            _tell_freed(appointment, claim)


def _tell_freed(appointment: Appointment, claim: Claim) -> None:
    """Record that the claim's start may be free again; whether it is a slot is judged by who hears of it."""
    if appointment.appointment_template_id is not None and claim.starts_at > clock.now():
        start = claim.starts_at.isoformat()
        facts.record(TimeFreed(appointment.appointment_template_id, claim.specialist_id, start))


def claimed_until(appointment: Appointment) -> datetime:
    """Return the end of the appointment's claim: its own end and the gap after it."""
    return appointment.ended_at + timedelta(minutes=appointment.gap_minutes)


def conflicting_kind(specialist_id: int, *, start: datetime, end: datetime, but: Claim | None = None) -> str:
    """Say what stands in [start, end), `but` one claim: `hold` or `appointment`; what is gone again was the latter."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [active_organization_id(), specialist_id, end, start, but.pk if but else 0])
        row = cursor.fetchone()
    return "hold" if row and row[0] else "appointment"
