"""The one place that asks what time it is; everything below a door is told."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Return the present instant in UTC, with microseconds."""
    return datetime.now(UTC)
