"""Announcements: what open streams are told after a commit. Hints only: the rows stay the truth.

Services know no channel layer, so a door (consumers.py) registers how a hint travels. One that is lost costs seconds:
streams re-read their hold with every renewal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction


@dataclass(frozen=True, slots=True)
class SlotChanged:
    """A stretch of a specialist's time changed hands; [start, end) is the claim's period, gap included."""

    specialist_id: int
    start: datetime
    end: datetime
    state: str
    #: The hold whose own stream is not told.
    hold_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A hold was renewed or has ended: its streams look at it again."""

    hold_id: UUID


Hint = SlotChanged | HoldChanged
_senders: list[Callable[[list[Hint]], Any]] = []


def deliver_by(sender: Callable[[list[Hint]], Any]) -> None:
    """Let `sender` carry hints to the streams of every process."""
    if sender not in _senders:
        _senders.append(sender)


def announce(*hints: Hint) -> None:
    """Send `hints` after the commit; a change that is rolled back is not told, and no failure reaches the caller."""
    told = list(hints)
    if told:
        transaction.on_commit(lambda: _send(told), robust=True)


def _send(hints: list[Hint]) -> None:
    for sender in _senders:
        sender(hints)
