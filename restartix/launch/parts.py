"""The parts that run while `manage.py up` does: started, watched, started again when they fall, stopped in order."""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from restartix.embedded.processes import Child, ServerFailed, opened_log
from restartix.environment import ROOT

#: A part that falls more often than this within a minute is given up.
MAX_FALLS = 5
_SHUTDOWN_EXTRA_SECONDS = 5


class Parts:
    """Processes of our own whose output goes to their logs and, with their name before it, to this terminal."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        """Start none yet."""
        self._environment = environment
        self._logs = logs
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._files: dict[str, IO[bytes]] = {}
        self._halves: dict[str, bytes] = {}
        self._falls: dict[str, deque[float]] = {}

    def add(self, name: str, module: str, *arguments: str, descriptors: Sequence[int] = ()) -> None:
        """Start `python -m module arguments` as the part `name`."""
        self._children.append(
            Child(
                name,
                [sys.executable, "-m", module, *arguments],
                self._logs / f"{name}.log",
                environment={**self._environment, "PYTHONUNBUFFERED": "1"},
                folder=ROOT,
                on_parents_death=signal.SIGTERM if name.startswith("web") else signal.SIGKILL,
                descriptors=descriptors,
                piped=True,
            )
        )
        self._start(self._children[-1])

    def _start(self, child: Child) -> None:
        child.start()
        self._files[child.name] = os.fdopen(opened_log(child.log), "ab", buffering=0)
        if child.process and child.process.stdout:
            os.set_blocking(child.process.stdout.fileno(), False)
            self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def pump(self, seconds: float) -> None:
        """Pass on what the parts say, for at most so long."""
        if not self._selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self._selector.select(seconds):
            child: Child = key.data
            said = os.read(key.fd, 65536)
            if not said:
                self._selector.unregister(key.fileobj)
                continue
            with suppress(OSError):  # a full disk must not end what still runs
                self._files[child.name].write(said)
            *lines, rest = (self._halves.pop(child.name, b"") + said).split(b"\n")
            self._halves[child.name] = rest
            for line in lines:
                print(f"{child.name:>8} | {line.decode(errors='replace')}", flush=True)  # noqa: T201

    def mend(self, tell: Callable[[str], None]) -> None:
        """Start again what has fallen. Raises ServerFailed for a part that keeps falling."""
        for child in self._children:
            if not child.alive:
                self.note_fall(child.name, child.failure)
                tell(f"{child.name} {child.ending}: starting it again, see {child.log}")
                self._start(child)

    def note_fall(self, name: str, failure: Callable[[], ServerFailed]) -> None:
        """Count a fall of the part `name`. Raises its `failure` if it keeps falling."""
        falls = self._falls.setdefault(name, deque(maxlen=MAX_FALLS))
        if len(falls) == MAX_FALLS and time.monotonic() - falls[0] < 60:
            raise failure()
        falls.append(time.monotonic())

    def check(self) -> None:
        """Raise ServerFailed if a part has ended: it never came up."""
        for child in self._children:
            if not child.alive:
                self.pump(0.2)
                raise child.failure()

    def stop(self, *, web_seconds: float) -> None:
        """Stop them all: the web may take its time for requests in flight, the rest 10 s."""
        for child in self._children:
            child.ask(signal.SIGTERM)
        for child in self._children:
            seconds = web_seconds + _SHUTDOWN_EXTRA_SECONDS if child.name.startswith("web") else 10
            end = time.monotonic() + seconds
            while child.alive and time.monotonic() < end:
                self.pump(0.05)
            child.stop(seconds=0.1)
        self.pump(0)
