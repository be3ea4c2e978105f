"""What a hold's stream tells: its snapshot, and the last event of one that has ended.

Source: contract/scheduling.md 3.4.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.scheduling.domain.leases import WARNING
from apps.scheduling.lifecycles import HoldStatus
from apps.scheduling.models import Hold, TemplateSpecialist
from restartix.kernel.streams import event

#: The event that ends the stream of a hold in each final state.
LAST_EVENTS = {HoldStatus.EXPIRED: "expired", HoldStatus.RELEASED: "released", HoldStatus.BOOKED: "confirmed"}


@dataclass(slots=True)
class Watched:
    """A live hold as its stream knows it; holds no row, so that thousands of streams weigh little."""

    key: int
    hold_id: str
    place: str
    specialists: tuple[int, ...]
    expires_at: datetime
    max_expires_at: datetime
    snapshot: Mapping[str, Any] | None
    warned: bool = False

    @classmethod
    def of(cls, held: Hold, snapshot: Mapping[str, Any], place: str) -> Watched:
        """Read what the stream needs; its `slot` events are of every specialist of the template."""
        specialists = TemplateSpecialist.objects.filter(template_id=held.template_id, is_active=True)
        return cls(
            held.pk,
            str(held.hold_id),
            place,
            tuple(specialists.values_list("specialist_id", flat=True)),
            held.expires_at,
            held.max_expires_at,
            snapshot,
        )

    @property
    def warns_at(self) -> datetime:
        """When `expiring` is due."""
        return self.max_expires_at - WARNING


def instant(moment: datetime) -> str:
    """Write an instant as the API does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def event_key(*, after: int = 0) -> int:
    """Return the id of an event that happens now: milliseconds, growing within a stream and over reconnections."""
    return max(time.time_ns() // 1_000_000, after + 1)


def last_key(held: Hold) -> int:
    """Return the id of the hold's last event: the same in every process, and later than any other of the hold."""
    return int((held.max_expires_at + timedelta(hours=1)).timestamp() * 1000)


def last_event(held: Hold) -> bytes:
    """Return the last event of a hold that has ended."""
    status = HoldStatus.EXPIRED if held.status == HoldStatus.LIVE else HoldStatus(held.status)
    data: dict[str, Any] = {"hold_id": str(held.hold_id)}
    if status == HoldStatus.BOOKED and held.appointment is not None:
        data |= {"appointment_uid": str(held.appointment.uid), "status": held.appointment.status}
    return event(LAST_EVENTS[status], data, last_key(held))
