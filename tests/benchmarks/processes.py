"""Server processes on a core of their own, and what the kernel says about them."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from restartix.embedded.processes import free_port

TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
#: Servers under test run on the first core, whoever loads them on the last; with one core both share it.
SERVER_CORE, CLIENT_CORE = CORES[0], CORES[-1]


class Process:
    """One server under test, pinned to a core."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        """Start `python -m arguments`, in which `{port}` stands for a free port; returns once the port answers."""
        self.name, self.port = name, free_port()
        command = [sys.executable, "-m", *(argument.format(port=self.port) for argument in arguments)]
        self._log = (folder / f"{name.replace(' ', '-')}.log").open("wb")
        self._process = subprocess.Popen(
            command,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=_prepare,  # noqa: PLW1509 (no thread runs yet)
        )
        self._wait(Path(self._log.name))

    def _wait(self, log: Path) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"{self.name} did not start:\n{log.read_text()[-3000:]}")

    @property
    def cpu_seconds(self) -> float:
        """Processor time so far, user and system."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def resident_kib(self) -> int:
        """Memory in use."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        return int(found.group(1)) if found else 0

    def stop(self) -> None:
        """Kill it."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._log.close()


def _prepare() -> None:
    """Run in the child: one core, and as many open files as allowed."""
    os.sched_setaffinity(0, {SERVER_CORE})
    raise_file_limit()


def raise_file_limit() -> None:
    """Allow this process as many open files as the machine does."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
