"""The life of a hold: how long a slot stays kept for one visitor.

A hold is made for `ttl` seconds. From the moment its page opens a stream it lives on a short lease instead, which the
stream renews; it ends soon after the page is gone, and at `cap` whatever happens.
Source: contract/scheduling.md 2.2, whose table the tests follow line by line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WARNING = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class LeaseTerms:
    """How long holds live, in seconds: unwatched, after each renewal, between renewals, at the very most."""

    ttl: int = 300
    lease: int = 30
    renew: int = 10
    cap: int = 900


def max_expires_at(created_at: datetime, terms: LeaseTerms) -> datetime:
    """Return the end that no renewal can move."""
    return created_at + timedelta(seconds=terms.cap)


def expires_at(
    created_at: datetime, renewed_at: datetime | None, *, stream_opened: bool, terms: LeaseTerms
) -> datetime:
    """Return the end of a hold that was last renewed at `renewed_at`, None if never; opening a stream renews.

    Until the first stream opens the hold keeps its full `ttl`, so a renewal never shortens it; the first stream usually
    brings the end forward. That a lapsed hold is not revived is the caller's condition, judged by the database clock.
    """
    ends: list[datetime] = []
    if not stream_opened:
        ends.append(created_at + timedelta(seconds=terms.ttl))
    if renewed_at is not None:
        ends.append(renewed_at + timedelta(seconds=terms.lease))
    return min(max_expires_at(created_at, terms), max(ends))


def is_live(ends_at: datetime, now: datetime) -> bool:
    """Tell whether a hold that ends at `ends_at` still keeps its slot; at that very instant it no longer does."""
    return ends_at > now


def warns_at(created_at: datetime, terms: LeaseTerms) -> datetime:
    """Return when the page is told, once, that the cap is near: 60 s before it, or at once under a shorter cap."""
    return max(created_at, max_expires_at(created_at, terms) - WARNING)
