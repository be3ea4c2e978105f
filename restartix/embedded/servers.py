"""The servers that a process needs and that no environment variable names, started and written down together."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from restartix.embedded import state
from restartix.embedded.postgres import Postgres
from restartix.embedded.valkey import Valkey


class Servers:
    """PostgreSQL and Valkey below a data folder, as far as the environment leaves them to us."""

    def __init__(self, data_dir: Path, *, throwaway: bool = False, named: Mapping[str, str] | None = None) -> None:
        """Describe the servers; `named` are the variables that are set already (default: the process's)."""
        named = os.environ if named is None else named
        log = data_dir / "log"
        self.data_dir = data_dir
        self.postgres = (
            None
            if named.get("DATABASE_URL")
            else Postgres(data_dir / "postgres", log=log / "postgres.log", throwaway=throwaway)
        )
        self.valkey = (
            None if named.get("REDIS_URL") else Valkey(data_dir / "valkey", log=log / "valkey.log", throwaway=throwaway)
        )

    def start(self) -> None:
        """Start both. Raises ServerFailed if one does not come up; then neither runs."""
        try:
            for server in (self.postgres, self.valkey):
                if server:
                    server.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both, the database last."""
        for server in (self.valkey, self.postgres):
            if server:
                server.stop()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that lead to the servers started here."""
        names: dict[str, str] = {}
        if self.postgres:
            names["DATABASE_URL"] = self.postgres.url("app")
            names["DATABASE_OWNER_URL"] = self.postgres.url("owner")
            names["DATABASE_PLATFORM_URL"] = self.postgres.url("platform")
        if self.valkey:
            names["REDIS_URL"] = self.valkey.url()
        ours = {"database": self.postgres, "broker": self.valkey}
        names["RESTARTIX_EMBEDDED"] = ",".join(name for name, server in ours.items() if server)
        return names

    def write_down(self, **more: object) -> None:
        """Tell other processes with the same data folder where the servers are."""
        addresses = {name.lower(): value for name, value in self.variables.items()}
        state.write(self.data_dir, {**addresses, **more})


@contextmanager
def borrowed(
    data_dir: Path, *, throwaway: bool = False, named: Mapping[str, str] | None = None
) -> Iterator[dict[str, str]]:
    """Run the servers for as long as the block, and yield the variables that lead to them.

    Waits while another command has them. Raises ServerFailed if one does not come up.
    """
    with state.owning(data_dir):
        servers = Servers(data_dir, throwaway=throwaway, named=named)
        servers.start()
        try:
            servers.write_down()
            yield servers.variables
        finally:
            servers.stop()
