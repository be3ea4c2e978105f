"""How a hint travels to open streams: over the channel layer, to the groups of a hold and of a specialist.

Registered at start in every process: workers sweep and web processes book, and both have something to tell.
"""

from __future__ import annotations

from typing import Any

from apps.scheduling.api.watching import instant
from apps.scheduling.services.announcements import Hint, HoldChanged, deliver_by
from restartix.kernel.streams import publish


def carry(hints: list[Hint]) -> None:
    """Carry hints to the groups of a hold and of a specialist."""
    publish((_group_of(hint), _message_of(hint)) for hint in hints)


def _group_of(hint: Hint) -> str:
    return f"hold-{hint.hold_id.hex}" if isinstance(hint, HoldChanged) else f"specialist-{hint.specialist_id}"


def _message_of(hint: Hint) -> dict[str, Any]:
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
