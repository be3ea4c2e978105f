"""What a receiver is sent: one JSON document, the same bytes in every attempt.

Source: contract/organizations.md 1.8.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def envelope(
    *, event_id: str, name: str, at: datetime, organization_id: int, data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the event's document, its keys in the order of the contract."""
    timestamp = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {"id": event_id, "type": name, "timestamp": timestamp, "organization_id": organization_id, "data": data}


def body_of(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed and sent: compact JSON in UTF-8."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
