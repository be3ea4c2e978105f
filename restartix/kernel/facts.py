"""What a fact is made of: a frozen dataclass named in the past tense, which carries ids and codes only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened; each app's `facts.py` derives its own.

    `name` is the event's name in the catalogue (contract/organizations.md 1.8); one that begins with `internal.` is
    heard by reactions only.
    """

    name: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        """Return the event's `data`."""
        return asdict(self)
