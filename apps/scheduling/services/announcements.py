"""Announcements: what open streams are told after a commit. Hints only: the rows stay the truth.

Services know no channel layer, so a door (consumers.py) registers how a hint travels. One that is lost costs seconds:
streams re-read their hold with every renewal, and boards look again now and then anyway.

Boards are told in three places, which nothing that changes them passes by: here (time that changed hands, holds),
`moves.lock` (an appointment that is about to change) and `moves.begin` (a new one).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from restartix.kernel.tenancy import current


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


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """What the boards of a clinic show may have changed: they look again."""

    organization_id: int


Hint = SlotChanged | HoldChanged | BoardChanged
_senders: list[Callable[[list[Hint]], Any]] = []


def deliver_by(sender: Callable[[list[Hint]], Any]) -> None:
    """Let `sender` carry hints to the streams of every process."""
    if sender not in _senders:
        _senders.append(sender)


def announce(*hints: Hint) -> None:
    """Send `hints` after the commit; a change that is rolled back is not told, and no failure reaches the caller.

    The boards of the active organization are told as well; who acts across organizations names the board's own.
    """
    told = list(hints)
    scope = current()
    if told and scope is not None and isinstance(scope.organization_id, int):
        told = list(dict.fromkeys([*told, BoardChanged(scope.organization_id)]))
    if told:
        transaction.on_commit(lambda: _send(told), robust=True)


def _send(hints: list[Hint]) -> None:
    for sender in _senders:
        sender(hints)
