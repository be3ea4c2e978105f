"""One finding of the doctor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum


class State(StrEnum):
    """How a part is."""

    OK = "ok"
    #: Nothing is wrong, but something is not set up.
    ABSENT = "not configured"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, what was found, and how to mend it."""

    name: str
    state: State
    found: str
    mend: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return asdict(self)


Examination = Callable[[], Iterator[Finding]]


def verdict(name: str, found: str, *, good: bool, mend: str, otherwise: State = State.FAILED) -> Finding:
    """Return an `ok` finding if it is good, else one that says how to mend it."""
    return Finding(name, State.OK, found) if good else Finding(name, otherwise, found, mend)
