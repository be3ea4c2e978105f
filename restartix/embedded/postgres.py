"""One PostgreSQL below a folder: made on first use, started, asked whether it answers, stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from restartix.embedded.binaries import OUTSIDE, PostgresPrograms, postgres_programs, within_reach
from restartix.embedded.processes import (
    Child,
    ServerFailed,
    free_port,
    last_lines,
    other_user,
    reachable,
    wait_until,
)

NAME = "restartix"
ROLES_SQL = Path(__file__).with_name("roles.sql")
_NEEDED_BYTES = 150_000_000
_START_SECONDS = 60

#: Fit for a small server that also runs the web and the workers.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "log_lock_waits": "on",
    "log_line_prefix": "%m [%p] %u ",
}

#: For servers that live as long as one test run: nothing has to survive a power cut.
THROWAWAY_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_connections": "300",
}


class Postgres:
    """A PostgreSQL server of our own on 127.0.0.1, with the superuser `postgres` and the project's three roles."""

    def __init__(self, folder: Path, *, log: Path, throwaway: bool = False, port: int = 0) -> None:
        """Describe the server, on its former port or a free one; nothing is touched before `start`."""
        self.folder = folder
        self.log = log
        self.throwaway = throwaway
        self.port = port
        self.origin = ""
        self._demotion = other_user()
        self.child: Child | None = None

    def url(self, role: str, database: str = NAME) -> str:
        """Return the address for one of the roles: `app`, `owner`, `platform`, or `postgres` for the superuser."""
        user = role if role == "postgres" else f"restartix_{role}"
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, making cluster, roles and database where they are missing.

        Raises ServerFailed if there is no PostgreSQL, no room on the disk, or the server does not come up.
        """
        self._refuse_a_full_disk()
        self.folder = self._enterable(self.folder)
        programs = within_reach(postgres_programs(), self._demotion)
        self.origin = programs.origin
        if not (self.data / "PG_VERSION").exists():
            self._make_cluster(programs)
        self._end_leftover()
        self.port = self.port or free_port(self._former_port())
        self._launch(programs)
        self._make_database()
        (self.folder / "port").write_text(str(self.port))

    @property
    def data(self) -> Path:
        """The cluster's own folder."""
        return self.folder / "data"

    @property
    def alive(self) -> bool:
        """Whether its main process runs."""
        return self.child is not None and self.child.alive

    def answers(self) -> bool:
        """Return whether it takes a connection and a query."""
        try:
            with self.connect() as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """Connect as the superuser, in autocommit."""
        return psycopg.connect(self.url("postgres", database), autocommit=True, connect_timeout=5)

    def stop(self) -> None:
        """Stop it: in order (a checkpoint, nothing lost), or at once if it is a throw-away."""
        if self.child:
            self.child.stop(signal.SIGQUIT if self.throwaway else signal.SIGINT, seconds=30)

    def _refuse_a_full_disk(self) -> None:
        existing = next(path for path in (self.folder, *self.folder.parents) if path.exists())
        free = shutil.disk_usage(existing).free
        if free < _NEEDED_BYTES:
            raise ServerFailed(
                f"Only {free // 10**6} MB are free at {existing}, PostgreSQL needs {_NEEDED_BYTES // 10**6} MB. "
                "Free some space, or choose another folder with --data-dir."
            )

    def _enterable(self, folder: Path) -> Path:
        """Return `folder`, owned by the server's user; root's closed home is left for a folder outside of it."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.exists():
            if not reachable(folder.parent.resolve(), self._demotion):
                OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
                folder.symlink_to(tempfile.mkdtemp(prefix="postgres-", dir=OUTSIDE))
            else:
                folder.mkdir()
        folder = folder.resolve()
        if self._demotion:
            os.chown(folder, self._demotion["user"], self._demotion["group"])
        return folder

    def _make_cluster(self, programs: PostgresPrograms) -> None:
        """Run `initdb` into the empty folder. Raises ServerFailed with its own words."""
        shutil.rmtree(self.data, ignore_errors=True)
        command = [programs.program("initdb"), "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C.UTF-8", *(["--no-sync"] if self.throwaway else [])]
        done = subprocess.run(command, check=False, capture_output=True, text=True, **self._surroundings())
        if done.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ServerFailed(f"PostgreSQL could not make its files in {self.data}: {done.stderr.strip()[-600:]}")

    def _surroundings(self) -> dict[str, Any]:
        """Return user, folder and variables for PostgreSQL's programs: nothing of ours leaks into them."""
        variables = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)}
        return {"env": variables, "cwd": str(self.folder), **self._demotion}

    def _former_port(self) -> int:
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return 0

    def _end_leftover(self) -> None:
        """End a server that outlived its launcher (only where the kernel knows no parent-death signal)."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return
        if str(self.data) in command:
            os.kill(pid, signal.SIGINT)
            wait_until(lambda: not pid_file.exists(), seconds=20)
        else:
            pid_file.unlink(missing_ok=True)

    def _launch(self, programs: PostgresPrograms) -> None:
        """Start the server and wait until it answers; tries again while remains of a killed one go away."""
        settings = {**SETTINGS, **(THROWAWAY_SETTINGS if self.throwaway else {}), "port": str(self.port)}
        if programs.has_statistics:
            settings["shared_preload_libraries"] = "pg_stat_statements"
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        surroundings = self._surroundings()
        self.child = Child(
            "PostgreSQL",
            [programs.program("postgres"), "-D", str(self.data), *options],
            self.log,
            environment=surroundings["env"],
            folder=self.folder,
            on_parents_death=signal.SIGQUIT if self.throwaway else signal.SIGINT,
            demotion=self._demotion,
        )
        for attempt in range(10):
            self.child.start()
            wait_until(lambda: self.answers() or not self.alive, seconds=_START_SECONDS)
            if self.alive or "still in use" not in last_lines(self.log):
                break
            time.sleep(0.2 * (attempt + 1))
        if not self.answers():
            self.child.kill()
            raise self.child.failure()

    def _make_database(self) -> None:
        """Make roles and database where they are missing."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone():
                connection.execute(f"CREATE DATABASE {NAME} TEMPLATE template0 ENCODING UTF8 LOCALE 'C.UTF-8'")
        with self.connect(NAME) as connection:
            connection.execute(ROLES_SQL.read_bytes())
