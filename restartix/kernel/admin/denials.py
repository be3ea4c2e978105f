"""Pages that somebody asked for and was not allowed to see: on record, ten times a minute, afterwards only counted.

Source: contract/telemetry.md 1.1 (DENIED).
"""

from __future__ import annotations

from django.http import HttpRequest

from restartix.kernel import audit
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.api.throttling import Bucket, judge
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.transactions import joins_transaction
from restartix.variables import Rate

#: Rows of one person and one path.
MOST = Rate(10, 60)


@joins_transaction
def record(request: HttpRequest) -> None:
    """Write that the person in the back office was denied the page; it belongs to the clinic that they have chosen."""
    entry = entry_of(request)
    path = keyed_hash(request.path, purpose="denials").hex()[:32]
    if not judge([Bucket(f"denied:{entry.actor.id}:{path}", MOST)]).admitted:
        return
    if entry.workplace is None:
        audit.note_of_platform("DENIED", "page", None)
    else:
        audit.note("DENIED", "page", None)
