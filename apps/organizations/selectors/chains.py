"""Audit rows as their chains see them, and whether the chains hold. Source: contract/telemetry.md 1.2 and 3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from django.db import connections, transaction

from apps.organizations.domain import chain
from apps.organizations.domain.verification import BEGINNING, ChainCheck, Entry, Place
from apps.organizations.selectors.anchors import Anchor, anchors_in
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import PLATFORM_ROLE

#: Rows fetched at a time.
CHUNK = 500
#: The platform's own connection: it sees every chain, and a check that takes minutes holds up no request.
_ALIAS = "platform"
_INSTANT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
#: How a field of the hash is read from a row `e`, where it is not simply a column.
_FIELDS = {
    "actor": "e.actor_type || COALESCE(':' || e.actor_id, '')",
    "at": _INSTANT.format("e.at"),
    "changes_digest": "encode(e.changes_digest, 'hex')",
    "claimed_at": _INSTANT.format("e.claimed_at"),
    "ip": "host(e.ip)",
    "on_behalf_of": "'patient:' || e.on_behalf_of",
    "prev_hash": "encode(e.prev_hash, 'hex')",
    "uid": "e.uid::text",
}
# A row is due 60 s after its commit, whose time nothing tells: it is late if sealing has passed it by or stands still.
_LATE = """e.seq IS NULL AND e.at < statement_timestamp() - interval '60 seconds' AND (e.id <= s.sealed_id
    OR e.id > s.fence_id OR s.fenced_at < statement_timestamp() - interval '60 seconds')"""
#: Selects what `entry_of` makes an Entry of, from rows `e`; goes on with WHERE.
ENTRIES = f"""
SELECT e.id, {_LATE}, e.redacted, encode(e.hash, 'hex'), e.salt, e.changes::text,
       {", ".join(_FIELDS.get(key, f"e.{key}") for key in chain.KEYS)}
  FROM organizations_auditentry e CROSS JOIN (TABLE organizations_auditsealing LIMIT 1) s
"""  # noqa: S608 (names from above only)
_OF_ALL = ENTRIES + "WHERE (e.seq >= %(first)s OR e.seq IS NULL) ORDER BY e.id, e.at"
_OF_ONE = ENTRIES + ("WHERE e.organization_id = %(only)s AND (e.seq >= %(first)s OR e.seq IS NULL) ORDER BY e.id, e.at")
_HEADS = """
SELECT organization_id, seq, encode(hash, 'hex'), checkpoint_seq, encode(checkpoint_hash, 'hex')
  FROM organizations_audithead
"""


class Watch(Protocol):
    """Shows how far an iteration over chunks of rows is."""

    def __call__(self, chunks: Iterable[list[Entry]], *, total: int) -> Iterable[list[Entry]]:
        """Yield `chunks`, of which there are about `total`."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One chain and what its check has found; the platform's chain has no organization."""

    organization_id: int | None
    slug: str | None
    head: Place | None
    check: ChainCheck


class _Head(NamedTuple):
    place: Place
    start: Place


class _Checks(dict[int | None, ChainCheck]):
    """The check of each chain, begun when its first row comes."""

    def __init__(self, heads: Mapping[int | None, _Head], first: int) -> None:
        self._heads, self._first = heads, first

    def __missing__(self, key: int | None) -> ChainCheck:
        start = self._heads[key].start if key in self._heads else BEGINNING
        self[key] = check = ChainCheck(start, self._first)
        return check


def entry_of(row: tuple[Any, ...]) -> Entry:
    """Return a row of `ENTRIES` as the chain sees it."""
    return Entry(*row[:6], dict(zip(chain.KEYS, row[6:], strict=True)))  # type: ignore[call-arg]


def verify(*, slug: str | None = None, first: int = 1, anchors: Path | None = None, watch: Watch) -> list[Verified]:
    """Check every chain, or that of the organization `slug`, from sequence number `first` on, in one snapshot.

    `anchors` is a file that sealing has written: it tells of rows that were rewritten together with the head. Raises
    NotFound (404) if there is no such organization, OSError if the file cannot be read.
    """
    with _snapshot() as cursor:
        slugs = _slugs(cursor, slug)
        only = next(iter(slugs)) if slug else None
        heads = _heads(cursor, only)
        checks = _Checks(heads, first)
        chunks = watch(_chunks(only, first), total=_rows_in(heads, first) // CHUNK + 1)
        _show(checks, chunks, _Anchors(anchors_in(anchors) if anchors else iter(()), only))
    keys: set[int | None] = {*slugs, *heads, *checks} if only else {*slugs, *heads, *checks, None}
    ordered = sorted(keys, key=lambda key: key or 0)
    return [_finished(key, slugs.get(key), heads.get(key), checks[key]) for key in ordered]


@contextmanager
def _snapshot() -> Iterator[Any]:
    """Open a transaction that reads rows and heads of every chain as they were at one moment."""
    with transaction.atomic(using=_ALIAS), connections[_ALIAS].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(f"SET LOCAL ROLE {PLATFORM_ROLE}")
        yield cursor


def _slugs(cursor: Any, slug: str | None) -> dict[int | None, str]:
    cursor.execute("SELECT id, slug FROM organizations_organization WHERE %s::text IS NULL OR slug = %s", [slug, slug])
    slugs = dict(cursor.fetchall())
    if slug and not slugs:
        raise NotFound
    return slugs


def _heads(cursor: Any, only: int | None) -> dict[int | None, _Head]:
    cursor.execute(_HEADS)
    return {
        key: _Head(Place(seq, digest), Place(checkpoint_seq, checkpoint_hash) if checkpoint_seq else BEGINNING)
        for key, seq, digest, checkpoint_seq, checkpoint_hash in cursor.fetchall()
        if only in {key, None}
    }


def _rows_in(heads: Mapping[int | None, _Head], first: int) -> int:
    """Return how many sealed rows the heads promise from `first` on."""
    return sum(max(head.place.seq - max(head.start.seq, first - 1), 0) for head in heads.values())


def _chunks(only: int | None, first: int) -> Iterator[list[Entry]]:
    with connections[_ALIAS].chunked_cursor() as cursor:
        cursor.execute(_OF_ONE if only else _OF_ALL, {"only": only, "first": first})
        while rows := cursor.fetchmany(CHUNK):
            yield [entry_of(row) for row in rows]


class _Anchors:
    """The anchors of a file, each held back until the rows that it covers have been shown."""

    def __init__(self, anchors: Iterator[Anchor], only: int | None) -> None:
        self._anchors, self._only = anchors, only
        self._advance()

    def _advance(self) -> None:
        self._next = next(self._anchors, None)
        #: The last row that the next anchor covers.
        self.covers = self._next.entry_id if self._next else inf

    def meet(self, checks: _Checks, before: float) -> None:
        """Show the checks what was anchored when the rows before the id `before` were sealed."""
        while self._next and self.covers < before:
            for key, place in self._next.heads.items():
                if self._only in {key, None}:
                    checks[key].meet(place)
            self._advance()


def _show(checks: _Checks, chunks: Iterable[list[Entry]], anchors: _Anchors) -> None:
    """Show every row to the check of its chain, in order of id, with the anchors between them."""
    for chunk in chunks:
        for entry in chunk:
            if anchors.covers < entry.id:
                anchors.meet(checks, entry.id)
            checks[entry.fields["organization_id"]].take(entry)
    anchors.meet(checks, inf)


def _finished(key: int | None, slug: str | None, head: _Head | None, check: ChainCheck) -> Verified:
    place = head.place if head else None
    check.finish(place)
    return Verified(key, slug, place, check)
