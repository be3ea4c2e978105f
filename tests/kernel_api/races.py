"""Calls that begin at the same moment, each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

OutcomeT = TypeVar("OutcomeT")


def at_once(calls: Sequence[Callable[[], OutcomeT]]) -> list[OutcomeT]:
    """Run `calls` together and return what they returned."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], OutcomeT]) -> OutcomeT:
        gate.wait(10)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
