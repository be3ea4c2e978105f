"""How a hint travels to open streams: over the channel layer, to the groups of a hold, of a specialist and of a board.

Registered at start in every process: workers sweep and web processes book, and both have something to tell.
"""

from __future__ import annotations

from typing import Any

from apps.scheduling.api.watching import instant
from apps.scheduling.services.announcements import BoardChanged, Hint, HoldChanged, deliver_by
from restartix.kernel.streams import publish


def carry(hints: list[Hint]) -> None:
    """Carry hints to the groups of a hold, of a specialist and of a clinic's boards."""
    publish((_group_of(hint), _message_of(hint)) for hint in hints)


def group_of_board(organization_id: int) -> str:
    """Return the group of every board of a clinic."""
    return f"board-{organization_id}"


def _group_of(hint: Hint) -> str:
    if isinstance(hint, BoardChanged):
        return group_of_board(hint.organization_id)
    return f"hold-{hint.hold_id.hex}" if isinstance(hint, HoldChanged) else f"specialist-{hint.specialist_id}"


def _message_of(hint: Hint) -> dict[str, Any]:
    if isinstance(hint, BoardChanged):
        return {"type": "board.changed"}
    if isinstance(hint, HoldChanged):
        return {"type": "hold.changed"}
    slot = {
        "specialist_id": hint.specialist_id,
        "start": instant(hint.start),
        "end": instant(hint.end),
        "state": hint.state,
    }
    return {"type": "slot.changed", "slot": slot, "hold_id": str(hint.hold_id) if hint.hold_id else None}


def register() -> None:
    """Let announcements travel from this process."""
    deliver_by(carry)
