"""What `manage.py up` tells the person at the terminal: one line a step, with the time it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any


class Steps:
    """The steps of one start, timed from the beginning."""

    def __init__(self) -> None:
        """Start the clock."""
        self._began = time.monotonic()

    def tell(self, message: str) -> None:
        """Print a line with the seconds since the start."""
        print(f"{time.monotonic() - self._began:6.1f} s  {message}", flush=True)  # noqa: T201

    @contextmanager
    def step(self, name: str) -> Iterator[list[str]]:
        """Time a step; the block may append what is worth knowing about it."""
        began = time.monotonic()
        notes: list[str] = []
        if sys.stdout.isatty():
            print(f"          {name} ...", end="\r", flush=True)  # noqa: T201
        yield notes
        took = time.monotonic() - began
        self.tell(f"{name} {' '.join(notes)}".rstrip() + f"  ({took:.1f} s)")


def columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a table with the columns `names`, as wide as their longest value."""
    widths = [max(len(name), *(len(str(row.get(name) or "")) for row in rows)) for name in names]
    yield "  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip()
    yield "  ".join("-" * width for width in widths)
    for row in rows:
        cells = (str(row.get(name) or "").ljust(width) for name, width in zip(names, widths, strict=True))
        yield "  ".join(cells).rstrip()
