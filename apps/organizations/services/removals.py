"""What must agree before a row is removed, and what is let go with it; higher apps say both when they start.

A lower app does not know who counts on its rows. A higher one registers in its `AppConfig.ready`:

    specialists.removal.refuse_while("future_appointments", count_future_appointments)
    specialists.removal.together_with(release_live_holds)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import models

from restartix.kernel.errors import Conflict
from restartix.kernel.tenancy import Actor

RowT = TypeVar("RowT", bound=models.Model)


class StillNeeded(Conflict):
    """Other things depend on this: details say how many."""


class Removal(Generic[RowT]):
    """The removal of one kind of row: its guards and its consequences, in the transaction of the removal."""

    def __init__(self) -> None:
        """Begin without any."""
        self._counts: dict[str, Callable[[RowT], int]] = {}
        self._consequences: list[Callable[[RowT, Actor], Any]] = []

    def refuse_while(self, name: str, count: Callable[[RowT], int]) -> None:
        """Refuse the removal while `count(row)` is not 0; `details` tell the number as `name`."""
        self._counts[name] = count

    def together_with(self, consequence: Callable[[RowT, Actor], Any]) -> None:
        """Call `consequence(row, actor)` in the transaction that removes the row, once nothing stands in the way."""
        if consequence not in self._consequences:
            self._consequences.append(consequence)

    def check(self, row: RowT) -> None:
        """Ask every guard. The caller holds the row, so that no new dependant slips in.

        Raises StillNeeded (409), with every count, if one of them is not 0.
        """
        counts = {name: count(row) for name, count in self._counts.items()}
        if any(counts.values()):
            raise StillNeeded(details=counts)

    def carry_out(self, row: RowT, *, by: Actor) -> None:
        """Let go of everything that hangs on the row."""
        for consequence in self._consequences:
            consequence(row, by)
