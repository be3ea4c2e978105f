"""Facts: one row for each thing that happened, in the transaction that made it happen; the rows are the outbox."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from django.db import transaction

from apps.organizations.models import Fact
from restartix.kernel import tenancy
from restartix.kernel.facts import Announcement
from restartix.kernel.transactions import joins_transaction

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@joins_transaction
def record(announcement: Announcement) -> Fact:
    """Write the fact beside the change it tells of; the relay hands it on after the commit.

    Joins the open transaction and never opens one: a fact of its own would tell of something that may not happen.
    """
    scope = tenancy.current()
    fact = Fact.objects.create(
        event_id=f"evt_{new_ulid()}",
        name=announcement.name,
        payload=announcement.payload(),
        request_id=scope.trace.request_id if scope else None,
    )
    transaction.on_commit(_wake, robust=True)
    return fact


def _wake() -> None:
    """Tell the relay that something waits; losing the hint costs seconds, for the relay also looks by itself."""
    for hint in _listeners:
        hint()


_listeners: list[Callable[[], None]] = []


def on_recorded(hint: Callable[[], None]) -> None:
    """Call `hint()` after each commit that wrote a fact; a door registers it (tasks.py), for services know no queue."""
    _listeners.append(hint)


def new_ulid() -> str:
    """Return a ULID: 48 bits of milliseconds and 80 random bits in Crockford's base 32."""
    number = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10))
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))
