"""One rendering for everybody who looks at the same thing at the same moment.

Twenty boards of one clinic hear one hint and ask for one page. Rendering it costs far more than reading its rows, so
what was rendered within the last second is given to whoever would see exactly the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from threading import Lock

#: What ticks on a page is at most this much behind.
SECONDS = 1.0


class Shared:
    """What this process has rendered a moment ago, by everything that it depends on."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = Lock()
        self._kept: dict[Hashable, tuple[float, str]] = {}

    def html(self, key: Hashable, render: Callable[[], str]) -> str:
        """Return what `render` gives, or what it gave for `key` within the last second; whoever comes second waits.

        `key` holds everything that the reader may see otherwise than others: clinic, language, rights.
        """
        with self._lock:
            now = time.monotonic()
            self._kept = {each: kept for each, kept in self._kept.items() if now - kept[0] < SECONDS}
            if key not in self._kept:
                self._kept[key] = (now, render())
            return self._kept[key][1]
