"""Anchors: after a sealing the heads of the chains go into a file, where who rewrites the database cannot follow.

Each line tells of the chains that have grown since the last line of the same file. So a line that was not written for
lack of disk or time is made up for by the next, and a new file begins with every chain.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from django.db import connection

from apps.organizations.domain.verification import Place
from apps.organizations.selectors.anchors import Anchor, last_anchor_in, line_of
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor, Trace, across_organizations

ACTOR = Actor.system("audit_seal")
# A file that is ahead of the database has seen another history of it (a backup was restored): it gets every chain.
_HEADS = """
SELECT s.sealed_id, h.organization_id, h.seq, encode(h.hash, 'hex')
  FROM organizations_auditsealing s
  JOIN organizations_audithead h ON h.entry_id > CASE WHEN %(after)s <= s.sealed_id THEN %(after)s ELSE 0 END
 ORDER BY h.organization_id NULLS FIRST
"""


def append_heads(path: Path) -> bool:
    """Append the heads that the file does not have yet as one line, and return whether there were any.

    The line is on the disk when this returns. Holds a lock on the file. Raises OSError if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        last = last_anchor_in(file)
        anchor = _heads_after(last.entry_id if last else 0)
        if anchor is None:
            return False
        at = clock.now().isoformat(timespec="microseconds").replace("+00:00", "Z")
        file.write(_line_end_of(file) + line_of(anchor, at=at))
        file.flush()
        os.fsync(file.fileno())
    return True


def _heads_after(entry_id: int) -> Anchor | None:
    reason = "anchor the audit chains of every clinic"
    with across_organizations(reason=reason, actor=ACTOR, trace=Trace(source="task")), connection.cursor() as cursor:
        cursor.execute(_HEADS, {"after": entry_id})
        rows = cursor.fetchall()
    heads = {key: Place(seq, digest) for _, key, seq, digest in rows}
    return Anchor(rows[0][0], heads) if rows else None


def _line_end_of(file: IO[bytes]) -> bytes:
    """Return what ends a line that was cut off, so that only that one is lost."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return b""
    file.seek(size - 1)
    return b"" if file.read(1) == b"\n" else b"\n"
