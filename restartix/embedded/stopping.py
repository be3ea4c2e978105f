"""Signals that end the process in good order, but never in the middle of starting a child.

Python runs a signal's handler wherever it happens to be. Around a fork that may be inside a hook whose exceptions are
dropped, so that the signal would be lost, or between the fork and the moment the child's number is known, so that
nobody would ever stop the child.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Ctrl-C, what a service manager sends, and the terminal being closed.
NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop(BaseException):
    """Somebody wants us to stop."""


_held = 0
_wanted = False


def heed() -> None:
    """Raise Stop in the main thread when a signal of `NUMBERS` arrives; later, if one arrives during `held`."""
    for number in NUMBERS:
        signal.signal(number, _on_signal)


def ignore() -> None:
    """Let the signals pass: we are about to end anyway."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held() -> Iterator[None]:
    """Let signals wait until the block is over; it has to be short. Then raises Stop if one arrived."""
    global _held
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        _raise_if_wanted()


def _on_signal(number: int, frame: FrameType | None) -> None:
    global _wanted
    _wanted = True
    _raise_if_wanted()


def _raise_if_wanted() -> None:
    global _wanted
    if _wanted and not _held:
        _wanted = False
        raise Stop
