"""What a fact is made of: a frozen dataclass named in the past tense, which carries ids and codes only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened; each app's `facts.py` derives its own.

    `name` is the event's name in the catalogue (contract/organizations.md 1.8); one that begins with `internal.` is
    heard by reactions only. A field may carry an example for the documentation: `field(metadata={"example": ...})`.
    """

    name: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        """Return the event's `data`."""
        return asdict(self)


Reaction = Callable[[Any], None]
_reactions: dict[str, list[Reaction]] = {}


def reacts_to(*names: str) -> Callable[[Reaction], Reaction]:
    """Run the decorated function for every fact with one of these names, after its commit, at least once.

    It is given the Fact row, inside `acting_for` its organization, in one transaction with the note of the relaying.
    A reaction may run again after a crash, so it has to be idempotent by the fact.
    """

    def register(function: Reaction) -> Reaction:
        for name in names:
            _reactions.setdefault(name, []).append(function)
        return function

    return register


def reactions_to(name: str) -> list[Reaction]:
    """Return the functions that hear facts called `name`."""
    return list(_reactions.get(name, ()))
