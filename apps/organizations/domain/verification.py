"""Does a chain hold: rows, anchors and the head of one chain are shown to it in order, and it names what is wrong.

Source: contract/telemetry.md 1.2 and 3, `audit_verify`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from apps.organizations.domain import chain

#: So many problems of one chain are named; a chain that was rewritten from its beginning breaks at every row.
NAMED_PROBLEMS = 100


class Kind(StrEnum):
    """How a chain may be broken."""

    HASH_MISMATCH = "hash_mismatch"
    LINK_MISMATCH = "link_mismatch"
    GAP = "gap"
    TRUNCATED = "truncated"
    HEAD_MISMATCH = "head_mismatch"
    CHANGES_MISMATCH = "changes_mismatch"
    UNSEALED_LATE = "unsealed_late"


class Problem(NamedTuple):
    """One break: the sequence number at which it is (None: not sealed), the row's uid (None: the row is missing)."""

    seq: int | None
    uid: str | None
    kind: Kind


class Place(NamedTuple):
    """A place in a chain: a sequence number and the hash of the row that has it."""

    seq: int
    hash: str


BEGINNING = Place(0, chain.ZEROS)


class Entry(NamedTuple):
    """One audit row as the chain sees it."""

    id: int
    #: Unsealed although its time is over.
    is_late: bool
    is_redacted: bool
    hash: str | None
    salt: bytes | None
    #: The JSON document as text.
    changes: str | None
    #: The 23 fields of the hash.
    fields: Mapping[str, Any]


@dataclass(slots=True)
class ChainCheck:
    """The check of one chain: `take` every row in order of id, `meet` anchors between them, `finish` with the head.

    It begins after `start`: the beginning, or the checkpoint that dropped partitions have left. `first` is the
    sequence number from which the caller wants to know; rows before it are not shown.
    """

    start: Place = BEGINNING
    first: int = 1
    entries: int = 0
    sealed: int = 0
    unsealed: int = 0
    first_seq: int | None = None
    problems: list[Problem] = field(default_factory=list)
    _last: int = field(init=False)
    #: Hash of the last row; None where it is not known.
    _hash: str | None = field(init=False)
    #: The first and the last anchor for which there was no row yet.
    _awaited: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Stand before the first row."""
        after_start = self.first <= self.start.seq + 1
        self._last = self.start.seq if after_start else self.first - 1
        self._hash = self.start.hash if after_start else None

    @property
    def last_seq(self) -> int | None:
        """The greatest sequence number among the rows, None without a sealed row."""
        return self._last if self.sealed else None

    def take(self, entry: Entry) -> None:
        """Check the next row by itself and its link to the one before."""
        self.entries += 1
        seq, uid = entry.fields["seq"], entry.fields["uid"]
        if seq is None:
            self.unsealed += 1
            if entry.is_late:
                self._found(None, uid, Kind.UNSEALED_LATE)
            return
        self.sealed += 1
        if self.first_seq is None or seq < self.first_seq:
            self.first_seq = seq
        if chain.row_hash(entry.fields) != entry.hash:
            self._found(seq, uid, Kind.HASH_MISMATCH)
        elif not _changes_hold(entry):
            self._found(seq, uid, Kind.CHANGES_MISMATCH)
        if seq > self.start.seq:  # else a row that outlived its neighbours in a dropped partition
            self._link(seq, uid, entry)

    def meet(self, anchor: Place) -> None:
        """Compare with what an anchor says the last row was, once all rows that it covers have been taken."""
        if anchor.seq < max(self.first, self.start.seq):
            return
        if anchor.seq > self._last:
            self._awaited = [self._awaited[0] if self._awaited else anchor.seq, anchor.seq]
        elif anchor.seq < self._last or self._hash not in {anchor.hash, None}:
            self._found(anchor.seq, None, Kind.HEAD_MISMATCH)

    def finish(self, head: Place | None) -> None:
        """Compare with the head of the chain, which is None for a chain that was never sealed."""
        first_awaited, last_awaited = self._awaited or (0, 0)
        end = head.seq if head else 0
        if max(end, last_awaited) > self._last:
            self._found(self._last + 1, None, Kind.TRUNCATED)
        elif (self.sealed and end != self._last) or (
            head and end == self._last and self._hash not in {head.hash, None}
        ):
            self._found(self._last, None, Kind.HEAD_MISMATCH)
        if self._last >= first_awaited > 0 and not self.problems:
            self._found(first_awaited, None, Kind.HEAD_MISMATCH)

    def _link(self, seq: int, uid: str, entry: Entry) -> None:
        """Check that the row follows upon the one before, and make it the last."""
        if seq == self._last + 1:
            if self._hash not in {entry.fields["prev_hash"], None}:
                self._found(seq, uid, Kind.LINK_MISMATCH)
        elif seq > self._last:
            self._found(self._last + 1, None, Kind.GAP)
        else:
            self._found(seq, uid, Kind.LINK_MISMATCH)
            return
        self._last, self._hash = seq, entry.hash

    def _found(self, seq: int | None, uid: str | None, kind: Kind) -> None:
        if len(self.problems) < NAMED_PROBLEMS:
            self.problems.append(Problem(seq, uid, kind))


def _changes_hold(entry: Entry) -> bool:
    """Say whether changes and digest belong together; a redacted row keeps its digest alone."""
    digest = entry.fields["changes_digest"]
    if entry.is_redacted or digest is None:
        return entry.changes is None and entry.salt is None
    if entry.changes is None or entry.salt is None:
        return False
    return chain.changes_digest(entry.salt, entry.changes) == digest
