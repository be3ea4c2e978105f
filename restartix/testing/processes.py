"""Real processes for tests: `manage.py` as a newcomer starts it, with nothing of the test's environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psycopg

from restartix.embedded.processes import free_port
from restartix.environment import ROOT, Environment
from restartix.variables import declared

MANAGE = (sys.executable, str(ROOT / "manage.py"))


def newcomers_environment(**more: str) -> dict[str, str]:
    """Return the environment of somebody who has set nothing of ours, and `more`."""
    ours = {entry.variable.name for entry in declared(Environment)} | {"DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "RESTARTIX_ENV_FILE": "", "RESTARTIX_NO_BOOTSTRAP": "on", **more}


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, at most a minute."""
    environment = newcomers_environment(**variables)
    return subprocess.run(
        [*MANAGE, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def fetch(url: str) -> tuple[int, Any]:
    """GET a JSON document and return it with its status."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def answers(url: str) -> bool:
    """Return whether `url` answers 200 just now."""
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


def descendants(pid: int) -> set[int]:
    """Return every process below `pid` that still runs."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(path.parent.name)] = int(parent)
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def alive(pids: set[int]) -> set[int]:
    """Return those of `pids` that still run."""
    return {pid for pid in pids if _state(pid) not in ("", "Z")}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def command_line(pid: int) -> str:
    """Return what `pid` was started as, or nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


class Up:
    """A `manage.py up` that runs below `data_dir`, without demo data unless asked."""

    def __init__(self, data_dir: Path, *arguments: str, demo: bool = False, **variables: str) -> None:
        """Start it on a free port; `wait_for` tells when it has come how far."""
        self.data_dir = data_dir
        self.port = free_port()
        self._terminal = tempfile.TemporaryFile(mode="w+", buffering=1)  # noqa: SIM115 - lives as long as the process
        command = [*MANAGE, "up", "--port", str(self.port), "--data-dir", str(data_dir), *arguments]
        self.process = subprocess.Popen(
            command if demo else [*command, "--no-demo"],
            env=newcomers_environment(**variables),
            stdout=self._terminal,
            stderr=subprocess.STDOUT,
        )

    @property
    def said(self) -> list[str]:
        """What it has printed so far."""
        return os.pread(self._terminal.fileno(), 10**7, 0).decode(errors="replace").splitlines()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, text: str, *, seconds: float = 90) -> str:
        """Wait until it has printed a line with `text`, and return the line. Raises AssertionError with all it said."""
        end = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            said = self.said
            for line in said:
                if text in line:
                    return line
            if ended or time.monotonic() > end:
                raise AssertionError(f"never said {text!r}:\n" + "\n".join(said))
            time.sleep(0.02)

    def wait_until_ready(self) -> None:
        """Wait until requests are answered."""
        self.wait_for("ready http")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def end(self) -> None:
        """Kill it if it still runs, and wait for its children."""
        left = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        end = time.monotonic() + 10
        while alive(left) and time.monotonic() < end:
            time.sleep(0.05)

    def servers(self) -> dict[str, Any]:
        """Return what it has written down for other commands."""
        written: dict[str, Any] = json.loads((self.data_dir / "servers.json").read_text())
        return written

    def superuser(self) -> psycopg.Connection[Any]:
        """Return a connection to its database that may do anything."""
        url = self.servers()["database_url"].replace("restartix_app@", "postgres@")
        return psycopg.connect(url, autocommit=True)

    def processes_of(self, text: str) -> list[int]:
        """Return the processes below it whose command line holds `text`."""
        return [pid for pid in sorted(descendants(self.process.pid)) if text in command_line(pid)]


class WebServer:
    """One web process (`python -m restartix.web`) in the given environment, on a free port."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        """Start it; `wait_until_ready` tells when it answers."""
        self.port = free_port()
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "restartix.web", "--port", str(self.port)],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self, *, seconds: float = 30) -> None:
        """Wait until it lives. Raises AssertionError with its log if it does not."""
        end = time.monotonic() + seconds
        while not answers(self.url + "/healthz/live"):
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"no web process:\n{self.log.read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """Kill it on the spot."""
        self.process.kill()
        self.process.wait()

    def stop(self, *, seconds: float = 40) -> int:
        """Ask it to stop and return its exit code."""
        self.process.terminate()
        return self.process.wait(seconds)
