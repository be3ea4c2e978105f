"""Sealing: committed audit rows get their places in the chains, in order of id, by one sealer at a time.

Rows are written without a chain, for one kept inside each transaction would make a clinic's writes wait for each other.
Which rows are next, and that they alone are filled, once and without a gap, the database judges (migrations/_chain.py);
their hashes are worked out here. Source: contract/telemetry.md 1.2.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import Q

from apps.organizations.domain import chain
from apps.organizations.domain.verification import BEGINNING, Entry, Place
from apps.organizations.models import AuditHead
from apps.organizations.selectors.chains import ENTRIES, entry_of
from apps.organizations.services import anchoring
from restartix.environment import env
from restartix.kernel.tenancy import Actor, Trace, across_organizations

ACTOR = Actor.system("audit_seal")
#: Rows sealed in one transaction.
BATCH = 2000
#: Seconds that a run waits for transactions that were writing when it began, and between two looks at them.
PATIENCE, PAUSE = 2.0, 0.1

_RANGE = "SELECT after_id, upto_id, last_id FROM restartix_audit_range()"
# WITH TIES: should two rows ever bear one id, they are sealed together.
_NEXT = ENTRIES + "WHERE e.id > %s AND e.id <= %s ORDER BY e.id FETCH FIRST %s ROWS WITH TIES"
_SEAL = "SELECT restartix_seal_audit(%s::bigint[], %s::bytea[], %s::bytea[], %s::bytea[])"


class _Seal(NamedTuple):
    """What sealing adds to one row, besides what follows from the row before."""

    entry_id: int
    hash: bytes
    salt: bytes | None
    changes_digest: bytes | None


class _Step(NamedTuple):
    """One batch: how many rows were sealed, up to which id nothing is left, and the newest id that was given out."""

    sealed: int
    reached: int
    newest: int


def seal(*, seconds: float = 50, anchors: Path | None = None) -> int:
    """Seal what was committed before now, and return how many rows that were.

    Ends early after `seconds`, when another sealer is at work, or when a transaction that was writing audit rows goes
    on for more than 2 s; the next run takes up the rest. Then appends the heads to the file `anchors`, which is
    AUDIT_ANCHOR_PATH unless given.
    """
    end = time.monotonic() + seconds
    patience = PATIENCE
    sealed, target = 0, None
    while (step := _step()) is not None:
        sealed += step.sealed
        target = step.newest if target is None else target
        if step.reached >= target or time.monotonic() > end or patience <= 0:
            break
        if not step.sealed:
            time.sleep(PAUSE)
            patience -= PAUSE
    transaction.on_commit(partial(anchoring.append_heads, anchors or env.audit_anchor_path))
    return sealed


def _step() -> _Step | None:
    """Seal one batch in one transaction; None while another sealer is at work."""
    reason = "seal the audit rows of every clinic"
    with across_organizations(reason=reason, actor=ACTOR, trace=Trace(source="task")), connection.cursor() as cursor:
        cursor.execute(_RANGE)
        after, upto, newest = cursor.fetchone()
        if newest is None:
            return None
        cursor.execute(_NEXT, [after, upto, BATCH])
        entries = [entry_of(row) for row in cursor.fetchall()]
        if entries:
            _fill(cursor, entries)
        return _Step(len(entries), upto if len(entries) < BATCH else entries[-1].id, newest)


def _fill(cursor: Any, entries: list[Entry]) -> None:
    seals = list(_seals(entries, _ends_of({entry.fields["organization_id"] for entry in entries})))
    cursor.execute(_SEAL, [list(column) for column in zip(*seals, strict=True)])


def _ends_of(organizations: Iterable[int | None]) -> dict[int | None, Place]:
    """Return where the chains of these organizations end; an organization of None is the platform."""
    heads = AuditHead.objects.filter(Q(organization__in=[key for key in organizations if key]) | Q(organization=None))
    return {head.organization_id: Place(head.seq, bytes(head.hash).hex()) for head in heads}


def _seals(entries: Iterable[Entry], ends: Mapping[int | None, Place]) -> Iterator[_Seal]:
    """Yield the seal of each row, the rows of each chain following upon its end."""
    ends = dict(ends)
    for entry in entries:
        key = entry.fields["organization_id"]
        seq, prev_hash = ends.get(key, BEGINNING)
        salt = None if entry.changes is None else secrets.token_bytes(chain.SALT_BYTES)
        digest = None if salt is None or entry.changes is None else chain.changes_digest(salt, entry.changes)
        fields = {**entry.fields, "seq": seq + 1, "prev_hash": prev_hash, "changes_digest": digest}
        ends[key] = Place(seq + 1, chain.row_hash(fields))
        yield _Seal(entry.id, bytes.fromhex(ends[key].hash), salt, bytes.fromhex(digest) if digest else None)
