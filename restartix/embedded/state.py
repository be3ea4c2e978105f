"""What runs below a data folder, written down so that every command in another terminal finds it.

The file `servers.json` holds the addresses; a lock on `servers.lock` says whether they are true: the kernel lets go
of it when the process that started the servers ends, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

#: Where the embedded servers would be if they ran: nobody listens there, so that a connection fails at once.
NOWHERE: Mapping[str, str] = {
    "database_url": "postgres://restartix_app@127.0.0.1:1/restartix",
    "database_owner_url": "postgres://restartix_owner@127.0.0.1:1/restartix",
    "database_platform_url": "postgres://restartix_platform@127.0.0.1:1/restartix",
    "redis_url": "redis://127.0.0.1:1/0",
}


def addresses(data_dir: Path) -> Mapping[str, str]:
    """Return the addresses of the embedded servers below `data_dir`, or ones that refuse if none run."""
    running = read(data_dir)
    return {**NOWHERE, **{key: value for key, value in running.items() if key in NOWHERE}}


def read(data_dir: Path) -> dict[str, Any]:
    """Return what runs below `data_dir`: addresses, `pid` and `debug`; empty if nothing does."""
    try:
        if not _locked(data_dir / "servers.lock"):
            return {}
        kept = dict(json.loads((data_dir / "servers.json").read_text()))
        os.kill(int(kept["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return {}
    return kept


def write(data_dir: Path, content: Mapping[str, Any]) -> None:
    """Write down what runs; the caller holds the lock of `owning`."""
    beside = data_dir / ".servers.json"
    beside.write_text(json.dumps({"pid": os.getpid(), **content}, indent=2))
    beside.replace(data_dir / "servers.json")


@contextmanager
def owning(data_dir: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the data folder for this process; yield False where `wait` is off and another process holds it."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "servers.lock").open("a") as lock:
        held = _lock(lock, wait=wait)
        if held:
            (data_dir / "servers.json").unlink(missing_ok=True)
        try:
            yield held
        finally:
            if held:
                (data_dir / "servers.json").unlink(missing_ok=True)


def _lock(lock: IO[str], *, wait: bool) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _locked(path: Path) -> bool:
    """Return whether some process holds the lock on `path`."""
    with path.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
