"""Holds: keeping a slot for one visitor, for a while. Source: contract/scheduling.md 1.5, 2.2, 2.3, 2.4."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from apps.scheduling.domain import slots
from apps.scheduling.domain.leases import LeaseTerms
from apps.scheduling.errors import HoldAlreadyBooked, HoldExpired, HoldQuotaExceeded, SlotUnavailable
from apps.scheduling.lifecycles import HoldStatus
from apps.scheduling.models import Claim, Hold, HoldEvent
from apps.scheduling.models.holds import HoldEventType
from apps.scheduling.selectors.booking import chosen
from apps.scheduling.selectors.offers import Offering, Provider
from apps.scheduling.services import claims
from apps.scheduling.services.announcements import HoldChanged, SlotChanged, announce
from restartix.environment import env
from restartix.kernel.crypto import keyed_hash, random_token, token_digest
from restartix.kernel.errors import Invalid, NotFound
from restartix.kernel.tenancy import active_organization_id
from restartix.kernel.transactions import joins_transaction


def terms() -> LeaseTerms:
    """Return how long holds live here (`HOLD_TTL`, `HOLD_LEASE`, `HOLD_RENEW`, `HOLD_CAP`)."""
    return LeaseTerms(env.hold_ttl_seconds, env.hold_lease_seconds, env.hold_renew_seconds, env.hold_cap_seconds)


@dataclass(frozen=True, slots=True)
class HoldSource:
    """Where a hold comes from, for the quota and the trail; kept as keyed hashes only."""

    ip: str
    client_id: UUID | None = None
    user_id: int | None = None

    @property
    def address_hash(self) -> bytes:
        """The keyed hash that stands for the address, or for the user of a signed-in caller."""
        return keyed_hash(f"user:{self.user_id}" if self.user_id else self.ip, purpose="hold-address")

    @property
    def client_hash(self) -> bytes | None:
        """The keyed hash that stands for the browser, None where it sent no `client_id`."""
        return keyed_hash(str(self.client_id), purpose="hold-client") if self.client_id else None


@transaction.atomic
def hold(
    *, offering: Offering, start: datetime, specialist_id: int | None, source: HoldSource, now: datetime
) -> tuple[Hold, str]:
    """Keep [start, start + duration) for whoever has the token that is returned beside the hold, this once.

    The eligible specialists are tried by priority, then id; the first claim that the constraint accepts wins. Locks the
    visitor's quota, so that it is exact under concurrency; waits for a concurrent claim of the same time.
    Raises Invalid (422) if no eligible specialist has `start` as an open candidate, HoldQuotaExceeded (409),
    SlotUnavailable (409) if every one of them is taken.
    """
    eligible = _eligible(offering, start, specialist_id, now)
    end = start + timedelta(minutes=offering.template.duration_minutes)
    until = end + timedelta(minutes=offering.template.gap_minutes)
    seen = _survey([provider.specialist.pk for provider in eligible], start=start, until=until, source=source)
    _check_quota(seen, source)
    if seen.has_lapsed:
        claims.clear_lapsed([provider.specialist.pk for provider in eligible], start=start, end=until)
    token = random_token()
    for provider in eligible:
        if provider.specialist.pk in seen.occupied:
            continue
        taken = _take(offering, provider.specialist.pk, start, end, until, source, token)
        if taken is not None:
            announce(SlotChanged(provider.specialist.pk, start, until, "taken", taken.hold_id))
            return taken, token
    raise SlotUnavailable


def _eligible(offering: Offering, start: datetime, specialist_id: int | None, now: datetime) -> tuple[Provider, ...]:
    providers = chosen(offering, specialist_id)
    if specialist_id is not None and not providers:
        raise Invalid({"specialist_id": ["not found"]})
    offer, second = offering.offer, int(start.timestamp())
    bounds = offering.suspends_on_expired_license
    eligible = tuple(
        provider
        for provider in providers
        if start.microsecond == 0
        and slots.is_candidate(provider.calendar([], license_bounds=bounds), offer, second, now.timestamp())
    )
    if not eligible:
        raise Invalid({"start": ["not a bookable time"]})
    return eligible


@dataclass(frozen=True, slots=True)
class _Seen:
    """What stands before the attempt: the visitor's live holds, who is busy, whether lapsed claims are in the way."""

    by_client: int
    by_address: int
    occupied: frozenset[int]
    has_lapsed: bool


# The locks are a statement of their own: the count must see what was committed while it waited for them.
_LOCK = "SELECT pg_advisory_xact_lock(%s), pg_advisory_xact_lock(%s)"
_SURVEY = """
SELECT q.by_client, q.by_address, o.occupied, o.has_lapsed
  FROM scheduling_live_holds(%(client)s::bytea, %(address)s::bytea) q, LATERAL (
    SELECT array_agg(c.specialist_id) FILTER (WHERE h.id IS NULL OR h.expires_at > clock_timestamp()) AS occupied,
           COALESCE(bool_or(h.expires_at <= clock_timestamp()), false) AS has_lapsed
      FROM scheduling_claim c LEFT JOIN scheduling_hold h ON h.id = c.hold_id
     WHERE c.organization_id = %(organization)s AND c.specialist_id = ANY(%(specialists)s)
       AND c.starts_at < %(until)s AND c.ends_at > %(start)s) o
"""


def _survey(specialists: Sequence[int], *, start: datetime, until: datetime, source: HoldSource) -> _Seen:
    keys = sorted(_lock_key(digest) for digest in (source.address_hash, source.client_hash or source.address_hash))
    given = {
        "client": source.client_hash,
        "address": source.address_hash,
        "organization": active_organization_id(),
        "specialists": list(specialists),
        "start": start,
        "until": until,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, keys)
        cursor.execute(_SURVEY, given)
        by_client, by_address, occupied, has_lapsed = cursor.fetchone()
    return _Seen(by_client, by_address, frozenset(occupied or ()), has_lapsed)


def _lock_key(digest: bytes) -> int:
    return int.from_bytes(digest[:8], signed=True)


def _check_quota(seen: _Seen, source: HoldSource) -> None:
    quotas = [(seen.by_address, env.hold_limit_ip)]
    if source.client_hash is not None:
        quotas.insert(0, (seen.by_client, env.hold_limit_client))
    for live, limit in quotas:
        if live >= limit:
            raise HoldQuotaExceeded(details={"limit": limit, "live": live})


# Claim first: where the constraint refuses it, neither hold nor trail come to be. One statement.
_HOLD = """
WITH key AS (SELECT nextval(pg_get_serial_sequence('scheduling_hold', 'id')) AS id, clock_timestamp() AS now),
claimed AS (
    INSERT INTO scheduling_claim (organization_id, specialist_id, starts_at, ends_at, hold_id)
    SELECT %(organization)s, %(specialist)s, %(start)s::timestamptz, %(until)s::timestamptz, key.id FROM key
    ON CONFLICT DO NOTHING RETURNING hold_id
), kept AS (
    INSERT INTO scheduling_hold (id, organization_id, hold_id, token_digest, status, template_id, specialist_id,
        started_at, ended_at, created_at, renewed_at, expires_at, max_expires_at, client_hash, address_hash)
    SELECT key.id, %(organization)s, %(hold_id)s::uuid, %(digest)s::bytea, 'live', %(template)s, %(specialist)s,
        %(start)s::timestamptz, %(end)s::timestamptz,
        key.now, key.now, key.now + make_interval(secs => %(ttl)s), key.now + make_interval(secs => %(cap)s),
        %(client)s::bytea, %(address)s::bytea
      FROM key JOIN claimed ON claimed.hold_id = key.id
    RETURNING id, created_at, expires_at, max_expires_at
), trail AS (
    INSERT INTO scheduling_holdevent (organization_id, hold_id, type, at, client_hash, address_hash)
    SELECT %(organization)s, %(hold_id)s::uuid, 'created', created_at, %(client)s::bytea, %(address)s::bytea FROM kept
)
SELECT * FROM kept
"""


def _take(
    offering: Offering,
    specialist_id: int,
    start: datetime,
    end: datetime,
    until: datetime,
    source: HoldSource,
    token: str,
) -> Hold | None:
    lease, hold_id, digest = terms(), uuid.uuid4(), token_digest(token)
    given: dict[str, Any] = {
        "organization": active_organization_id(),
        "specialist": specialist_id,
        "template": offering.template.pk,
        "start": start,
        "end": end,
        "until": until,
        "hold_id": hold_id,
        "digest": digest,
        "ttl": min(lease.ttl, lease.cap),
        "cap": lease.cap,
        "client": source.client_hash,
        "address": source.address_hash,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, given)
        row = cursor.fetchone()
    if row is None:
        return None
    key, created_at, expires_at, max_expires_at = row
    return Hold(
        pk=key,
        hold_id=hold_id,
        status=HoldStatus.LIVE,
        template=offering.template,
        specialist_id=specialist_id,
        started_at=start,
        ended_at=end,
        created_at=created_at,
        renewed_at=created_at,
        expires_at=expires_at,
        max_expires_at=max_expires_at,
    )


def find(hold_id: UUID, token: str | None) -> Hold:
    """Return the hold that `token` opens, ended ones included.

    Raises NotFound (404) if the hold is unknown or the token missing, wrong, or another hold's: all the same.
    """
    digest = token_digest(token or "")
    held = Hold.objects.select_related("template", "specialist").filter(hold_id=hold_id, token_digest=digest).first()
    if held is None:
        raise NotFound
    return held


# A renewal is conditional on the database clock: a lapsed hold is never revived. `domain/leases.py` tells the rule.
_RENEW = """
UPDATE scheduling_hold SET renewed_at = clock_timestamp(),
       stream_opened_at = COALESCE(stream_opened_at, CASE WHEN %(opens)s THEN clock_timestamp() END),
       expires_at = LEAST(max_expires_at, GREATEST(
           clock_timestamp() + make_interval(secs => %(lease)s),
           CASE WHEN stream_opened_at IS NULL AND NOT %(opens)s THEN created_at + make_interval(secs => %(ttl)s) END))
 WHERE id = ANY(%(holds)s) AND status = 'live' AND expires_at > clock_timestamp()
RETURNING id, expires_at
"""


def renew_all(hold_keys: Sequence[int], *, opens_stream: bool = False) -> dict[int, datetime]:
    """Renew the holds with these primary keys and return the new ends of those that were still alive.

    One statement for all of them, over every organization that the scope sees.
    """
    lease = terms()
    given: dict[str, Any] = {"holds": list(hold_keys), "opens": opens_stream, "lease": lease.lease, "ttl": lease.ttl}
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, given)
        return dict(cursor.fetchall())


@transaction.atomic
def renew(*, hold_id: UUID, token: str | None) -> Hold:
    """Renew the hold's lease once: a page without a stream says that it is still there.

    Raises NotFound (404), HoldAlreadyBooked (409), HoldExpired (410).
    """
    held = find(hold_id, token)
    renewed = renew_all([held.pk])
    if held.pk not in renewed:
        raise _ended(held)
    held.expires_at = renewed[held.pk]
    announce(HoldChanged(held.hold_id))
    return held


def _ended(held: Hold) -> HoldAlreadyBooked | HoldExpired:
    held.refresh_from_db(fields=["status"])
    return HoldAlreadyBooked() if held.status == HoldStatus.BOOKED else HoldExpired()


@transaction.atomic
def open_stream(*, hold_id: UUID, token: str | None) -> Hold:
    """Note that a stream of the hold has opened, which renews it; the first one usually brings the end forward.

    An ended hold comes back as it is. Raises NotFound (404).
    """
    held = find(hold_id, token)
    renewed = renew_all([held.pk], opens_stream=True)
    if held.pk in renewed:
        held.expires_at = renewed[held.pk]
        note(held, HoldEventType.STREAM_OPENED)
    else:
        held.refresh_from_db()
    return held


@transaction.atomic
def release(*, hold_id: UUID, token: str | None) -> None:
    """Give the slot back; nothing happens to a hold that has been released or has lapsed.

    Locks the hold. Raises NotFound (404), HoldAlreadyBooked (409).
    """
    held = find(hold_id, token)
    end(held, HoldStatus.RELEASED)
    if held.status == HoldStatus.BOOKED:
        raise HoldAlreadyBooked


@transaction.atomic
def end(held: Hold, status: HoldStatus) -> bool:
    """End a live hold as `status` and give its time back; say whether it was still alive. Locks the hold."""
    held.refresh_from_db(from_queryset=Hold.objects.select_for_update())
    if held.status != HoldStatus.LIVE:
        return False
    claim = Claim.objects.filter(hold=held).first()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scheduling_hold SET status = CASE WHEN expires_at <= clock_timestamp() THEN 'expired' ELSE %s END, "
            "finished_at = LEAST(expires_at, clock_timestamp()) WHERE id = %s RETURNING status, finished_at",
            [status.value, held.pk],
        )
        held.status, held.finished_at = cursor.fetchone()
    if claim is not None:
        claim.delete()
        announce(SlotChanged(claim.specialist_id, claim.starts_at, claim.ends_at, "free", held.hold_id))
    note(held, HoldEventType(held.status))
    announce(HoldChanged(held.hold_id))
    return True


@joins_transaction
def note(held: Hold, kind: HoldEventType) -> None:
    """Add a line to the hold's trail."""
    HoldEvent.objects.create(
        hold_id=held.hold_id, type=kind, client_hash=held.client_hash, address_hash=held.address_hash
    )
