"""Fixtures of the scheduling tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine as machine


@pytest.fixture
def time_machine() -> Iterator[object]:
    """Move the process's clock; the database keeps its own."""

    class Mover:
        traveller: machine.travel | None = None

        def move_to(self, moment: str) -> None:
            self.stop()
            self.traveller = machine.travel(moment, tick=True)
            self.traveller.start()

        def stop(self) -> None:
            if self.traveller is not None:
                self.traveller.stop()
                self.traveller = None

    mover = Mover()
    yield mover
    mover.stop()
