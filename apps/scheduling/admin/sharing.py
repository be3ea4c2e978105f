"""What was rendered a moment ago, for whoever asks for the same: a change makes twenty open boards ask at once.

Kept in this process, for two seconds, and only under a key that changes with everything that is shown. Whoever asks
while it is being rendered waits for it, so that one thread works and not twenty.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

LIFE_SECONDS = 2.0


class Shared:
    """The latest pieces of HTML by their keys."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: OrderedDict[Hashable, tuple[float, str]] = OrderedDict()
        self._working: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def html(self, key: Hashable, render: Callable[[], str]) -> str:
        """Return the rendering of `key`, made now unless it was made within the last two seconds."""
        with self._lock:
            working = self._working.setdefault(key, threading.Lock())
        try:
            with working:
                found = self._found(key)
                if found is None:
                    found = render()
                    self._keep(key, found)
                return found
        finally:
            with self._lock:
                self._working.pop(key, None)

    def _found(self, key: Hashable) -> str | None:
        with self._lock:
            made, text = self._kept.get(key, (0.0, ""))
        return text if made and time.monotonic() - made < LIFE_SECONDS else None

    def _keep(self, key: Hashable, text: str) -> None:
        with self._lock:
            now = time.monotonic()
            while self._kept and now - next(iter(self._kept.values()))[0] >= LIFE_SECONDS:
                self._kept.popitem(last=False)
            self._kept[key] = now, text
