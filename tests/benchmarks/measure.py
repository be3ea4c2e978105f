"""Timing of things beside each other: rounds interleaved, medians taken, so that a busy machine disturbs all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, beside what, and how well it has to do."""

    case: str
    target: str
    median: str
    ratio: float | None = None
    goal: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """The medians of one target, in milliseconds."""

    cpu_ms: float
    wall_ms: float

    def __str__(self) -> str:
        """Write both."""
        return f"{self.cpu_ms:.2f} ms CPU, {self.wall_ms:.2f} ms"


def interleaved(targets: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, Timing]:
    """Run every target once a round, after a first round that does not count."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in targets}
    for number in range(rounds + 1):
        for name, target in targets.items():
            gc.collect()
            cpu, wall = time.process_time(), time.perf_counter()
            target()
            if number:
                taken[name].append((time.process_time() - cpu, time.perf_counter() - wall))
    return {
        name: Timing(*(statistics.median(column) * 1e3 for column in zip(*taken[name], strict=True))) for name in taken
    }
