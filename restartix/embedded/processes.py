"""Child processes that end with the process which started them, and say why they ended."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from restartix.embedded.stopping import held

# Loaded before any fork: a child that has become another user may not be able to import.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_PR_SET_PDEATHSIG = 1
_LOG_LIMIT_BYTES = 10_000_000


class ServerFailed(Exception):
    """A server could not be started; the message says which, why, and what to do."""


def dying_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what a new child runs first: have the kernel send `number` to it when its parent ends (Linux)."""

    def bind() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number))

    return bind


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if nobody listens there, else a port of the kernel's choice, on 127.0.0.1."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerFailed("no free port on 127.0.0.1")


def other_user() -> dict[str, Any]:
    """Return the `subprocess` arguments that leave root behind; empty for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(path: Path, demotion: Mapping[str, Any]) -> bool:
    """Return whether the user of `demotion` may enter or execute `path`."""
    if not demotion:
        return os.access(path, os.X_OK)
    return subprocess.run(["/usr/bin/test", "-x", str(path)], check=False, cwd="/", **demotion).returncode == 0


def opened_log(path: Path) -> int:
    """Open the log at `path` for appending and return its descriptor; one over 10 MB is put aside as `.1` first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def last_lines(path: Path, count: int = 5) -> str:
    """Return the last lines of a log, indented, or an empty string."""
    try:
        lines = path.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return ""
    return "".join(f"\n    {line}" for line in lines)


@dataclass
class Child:
    """A child process in a session of its own, so that Ctrl-C reaches it through us alone."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    folder: Path | None = None
    #: What the kernel sends it when we end without having stopped it.
    on_parents_death: signal.Signals = signal.SIGKILL
    demotion: Mapping[str, Any] = field(default_factory=dict)
    #: Descriptors that it inherits, such as a listening socket.
    descriptors: Sequence[int] = ()
    #: Whether its output goes through a pipe that we read (see `output`) instead of straight into the log.
    piped: bool = False
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. Raises ServerFailed if its program cannot be executed."""
        log = opened_log(self.log)
        try:
            with held():
                self.process = subprocess.Popen(
                    list(self.command),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE if self.piped else log,
                    stderr=subprocess.STDOUT,
                    env=dict(self.environment),
                    cwd=self.folder,
                    start_new_session=True,
                    preexec_fn=dying_with_parent(self.on_parents_death),  # noqa: PLW1509 - a single prctl call
                    pass_fds=list(self.descriptors),
                    **self.demotion,
                )
        except OSError as error:
            raise ServerFailed(f"{self.name} could not be started: {error}") from error
        finally:
            os.close(log)

    @property
    def pid(self) -> int:
        """The process id; 0 before the start."""
        return self.process.pid if self.process else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        code = self.process.poll() if self.process else None
        if code is None:
            return "still runs"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def failure(self) -> ServerFailed:
        """Return the error that names this child, its end, and its log with the last lines."""
        return ServerFailed(f"{self.name} {self.ending}; see {self.log}{last_lines(self.log)}")

    def ask(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send `number` if it still runs."""
        if self.alive and self.process:
            self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, *, seconds: float = 10) -> None:
        """Ask it to end, wait so long, then kill what is left of its session."""
        self.ask(number)
        if self.process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End it and everything it started, at once."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)


def wait_until(ready: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Return True as soon as `ready` does, False after `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True
