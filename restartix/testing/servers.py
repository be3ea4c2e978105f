"""The PostgreSQL and the Valkey of one test run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from restartix.embedded.postgres import NAME, Postgres
from restartix.embedded.processes import free_port
from restartix.embedded.valkey import Valkey
from restartix.environment import ROOT, Environment
from restartix.testing import rows
from restartix.variables import declared

#: How a run tells its xdist workers where its servers are.
HANDOVER = "PYTEST_SERVERS_OF_THIS_RUN"


@dataclass
class TestServers:
    """The servers of this run: owned by the process that pytest was started as, used by its workers."""

    __test__ = False

    folder: Path
    postgres: Postgres
    valkey: Valkey
    owned: bool
    #: Number of this worker: 0 without xdist.
    number: int = 0

    @classmethod
    def of_this_process(cls) -> TestServers:
        """Choose or take over the servers and point the environment at them; PostgreSQL is not started yet."""
        handed = json.loads(os.environ.get(HANDOVER, "null"))
        worker = os.environ.get("PYTEST_XDIST_WORKER", "")
        if handed and worker:
            servers = cls._described(Path(handed["folder"]), handed["postgres"], handed["valkey"], owned=False)
            servers.number = int(worker.removeprefix("gw")) + 1
        else:
            folder = Path(tempfile.mkdtemp(prefix="restartix-test-"))
            folder.chmod(0o755)
            servers = cls._described(folder, free_port(), 0, owned=True)
            servers.valkey.start()
        servers.point_environment()
        return servers

    @classmethod
    def _described(cls, folder: Path, postgres: int, valkey: int, *, owned: bool) -> TestServers:
        log = folder / "log"
        return cls(
            folder,
            Postgres(folder / "postgres", log=log / "postgres.log", throwaway=True, port=postgres),
            Valkey(folder / "valkey", log=log / "valkey.log", throwaway=True, port=valkey),
            owned,
        )

    @property
    def database(self) -> str:
        """The name of the database that this process's tests use."""
        return f"{NAME}_{self.number}" if self.number else NAME

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a process that works with this process's database and Valkey number."""
        return {
            "DEBUG": "on",
            "RESTARTIX_ENV_FILE": "",
            "RESTARTIX_NO_BOOTSTRAP": "on",
            "DATA_DIR": str(self.folder / f"data-{self.number}"),
            "DATABASE_URL": self.postgres.url("app", self.database),
            "DATABASE_OWNER_URL": self.postgres.url("owner", self.database),
            "DATABASE_PLATFORM_URL": self.postgres.url("platform", self.database),
            "REDIS_URL": self.valkey.url(self.number),
            "EMAIL_URL": "memorymail://",
        }

    def point_environment(self) -> None:
        """Clear the project's variables from this process's environment and name the servers of this run."""
        for entry in declared(Environment):
            os.environ.pop(entry.variable.name, None)
            os.environ.pop(entry.variable.name + "_FILE", None)
        os.environ.update(self.variables)
        os.environ[HANDOVER] = json.dumps(
            {"folder": str(self.folder), "postgres": self.postgres.port, "valkey": self.valkey.port}
        )

    def migrate_apart(self) -> None:
        """Start PostgreSQL and migrate in another process: what the workers copy their databases from."""
        self.postgres.start()
        command = [sys.executable, "-m", "django", "migrate", "--database=owner", "--verbosity=0", "--skip-checks"]
        command.append("--settings=restartix.settings")
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.exit(f"the migrations fail:\n{done.stdout}{done.stderr}", 1)

    def make_database(self) -> None:
        """Make this process's migrated database, and keep aside the rows that the migrations wrote."""
        if self.number:
            with self.postgres.connect() as connection:
                connection.execute(f"CREATE DATABASE {self.database} OWNER restartix_owner TEMPLATE {NAME}")
        else:
            self._migrate_here()
        with self.postgres.connect(self.database) as connection:
            rows.keep(connection)

    def _migrate_here(self) -> None:
        from django.core.management import call_command
        from django.db import connections

        if not self.postgres.alive:
            self.postgres.start()
            call_command("migrate", database="owner", verbosity=0, interactive=False)
            connections["owner"].close()

    def restore_rows(self) -> None:
        """Bring every table back to what the migrations left."""
        with self.postgres.connect(self.database) as connection, connection.transaction():
            rows.restore(connection)

    def forget_keys(self) -> None:
        """Empty this process's Valkey number: limits, cache, queues."""
        import redis

        redis.Redis.from_url(self.valkey.url(self.number)).flushdb()

    def stop(self) -> None:
        """Stop the servers and remove their folder, if this process started them."""
        if not self.owned:
            return
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
