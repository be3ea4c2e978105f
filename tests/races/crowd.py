"""Many clients at once, and a reader of server-sent events."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Run all calls at the same moment, each in a thread and with connections of its own; return what they gave."""
    work = list(calls)
    gate = threading.Barrier(len(work))

    def run(call: Callable[[], T]) -> T:
        gate.wait(30)
        try:
            return call()
        finally:
            connections.close_all()  # a thread that ends without giving its connection back takes it along

    with ThreadPoolExecutor(len(work)) as crowd:
        return list(crowd.map(run, work))


@dataclass
class Event:
    """One server-sent event and when it arrived."""

    name: str
    data: Any
    key: str | None
    at: float


@dataclass
class Stream:
    """An open stream that is read in the background."""

    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    status: int = 0
    closed_at: float | None = None

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.connection.request("GET", self.path, headers={"Accept": "text/event-stream", **self.headers})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        name, data, key = "message", "", None
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if not line:
                    if data:
                        self.events.append(Event(name, json.loads(data), key, time.monotonic()))
                    name, data, key = "message", "", None
                elif line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    data = line[6:]
                elif line.startswith("id: "):
                    key = line[4:]
        except (OSError, ValueError, AttributeError):
            pass
        self.closed_at = time.monotonic()

    def wait_for(self, name: str, *, seconds: float = 5, **values: Any) -> Event:
        """Wait for an event with these values in its data. Raises AssertionError with all that came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in list(self.events):
                if event.name == name and all(event.data.get(key) == value for key, value in values.items()):
                    return event
            time.sleep(0.005)
        raise AssertionError(f"no {name} {values} within {seconds} s: {self.events}")

    def close(self) -> None:
        """Go away without a word."""
        if self.connection.sock is not None:
            self.connection.sock.close()
        self.connection.close()
        self.answer.close()
