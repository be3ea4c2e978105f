"""New encryption keys: every sealed column of every table, sealed anew under the newest key while the platform serves.

The values stay what they were, so no clinic's trail tells of a change: it would say of every patient that the phone
number had been changed. Instead the platform's own trail tells, in the transaction of each batch, which column and how
many rows were sealed under which key (the audit trigger knows: kernel/protection.py).
Source: contract/organizations.md 1.5.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from apps.organizations.models import AuditEntry
from apps.organizations.models.audit import AuditAction
from restartix.kernel import clock, crypto
from restartix.kernel.rekeying import Resealed, SealedColumn, sealed_columns
from restartix.kernel.tenancy import Actor, Trace, across_organizations

ACTOR = Actor.system("rotate_encryption_keys")
TRACE = Trace(source="command")
REASON = "seal the columns of every clinic under the newest key"
#: Rows sealed anew in one transaction; they are held for as long as that takes, some ten milliseconds.
BATCH = 250
#: Seconds that rows held by others are come back to, and between two rounds.
PATIENCE, PAUSE = 60.0, 0.5


@dataclass(frozen=True, slots=True)
class Progress:
    """What one batch did to one column."""

    column: str
    sealed: int
    unreadable: int


def outdated() -> dict[str, int]:
    """Return how many values of each sealed column are not under the newest key."""
    with across_organizations(reason=REASON, actor=ACTOR, trace=TRACE), connection.cursor() as cursor:
        return {str(column): column.outdated(cursor) for column in sealed_columns()}


def rotate(*, batch: int = BATCH) -> Iterator[Progress]:
    """Seal what is outdated, one transaction a batch, and yield after each; may be left off and begun again any time.

    Comes back for a minute to rows that others held. Values that do not open are told once and left as they are: the
    key that they were sealed under is not in the ring.
    """
    end = time.monotonic() + PATIENCE
    while True:
        sealed = unreadable = 0
        for column in sealed_columns():
            for done in _column(column, batch):
                sealed, unreadable = sealed + done.sealed, unreadable + done.unreadable
                yield done
        if sum(outdated().values()) <= unreadable or time.monotonic() > end:
            return
        if not sealed:
            time.sleep(PAUSE)


def _column(column: SealedColumn, batch: int) -> Iterator[Progress]:
    after = None
    while True:
        done = _batch(column, after, batch)
        if done.last is None:
            return
        after = done.last
        yield Progress(str(column), done.sealed, done.unreadable)


def _batch(column: SealedColumn, after: object, batch: int) -> Resealed:
    with across_organizations(reason=REASON, actor=ACTOR, trace=TRACE), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.resealing', %s, true)", [column.name])
        done = column.reseal(cursor, after=after, limit=batch)
        if done.sealed:
            _tell(column, done.sealed)
        return done


def _tell(column: SealedColumn, rows: int) -> None:
    """Write into the platform's trail what was sealed."""
    AuditEntry.objects.create(
        uid=uuid.uuid4(),
        organization=None,
        at=clock.now(),
        action=AuditAction.UPDATE,
        actor_type=ACTOR.kind,
        actor_id=ACTOR.name,
        actor_name=ACTOR.name,
        entity_type="encryption_key",
        entity_id=str(crypto.newest_version()),
        changes={str(column): {"old": None, "new": rows}},
        source=TRACE.source,
    )
