"""One Valkey below a folder: broker, cache and channel layer of the first run and of tests."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from restartix.embedded.binaries import valkey_program
from restartix.embedded.processes import Child, free_port, wait_until

_START_SECONDS = 20


class Valkey:
    """A Valkey server of our own on 127.0.0.1; queued tasks survive a restart unless it is a throw-away."""

    def __init__(self, folder: Path, *, log: Path, throwaway: bool = False, port: int = 0) -> None:
        """Describe the server; nothing is touched before `start`."""
        self.folder = folder
        self.log = log
        self.throwaway = throwaway
        self.port = port
        self.child: Child | None = None

    def url(self, database: int = 0) -> str:
        """Return its address; databases are numbered from 0 to 63."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it. Raises ServerFailed if there is no program or it does not answer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        command = [valkey_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--databases", "64", "--maxmemory-policy", "noeviction", "--save", ""]
        command += ["--appendonly", "no" if self.throwaway else "yes"]
        self.child = Child("Valkey", command, self.log, folder=self.folder, on_parents_death=signal.SIGTERM)
        self.child.start()
        wait_until(lambda: self.answers() or not self.alive, seconds=_START_SECONDS)
        if not self.answers():
            self.child.kill()
            raise self.child.failure()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.child is not None and self.child.alive

    def answers(self) -> bool:
        """Return whether it answers PING with PONG (while it still loads its file it answers otherwise)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self) -> None:
        """Stop it; what is queued is on the disk first, unless it is a throw-away."""
        if self.child:
            self.child.stop(signal.SIGKILL if self.throwaway else signal.SIGTERM, seconds=10)
