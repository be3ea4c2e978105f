"""Fixtures that every test may ask for; offered by the plugin."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from restartix.testing.processes import WebServer
from restartix.testing.servers import TestServers


class Fixtures:
    """The fixtures of one test process."""

    def __init__(self, servers: TestServers) -> None:
        """Keep the servers of this run."""
        self._servers = servers

    @pytest.fixture(scope="session")
    def test_servers(self) -> TestServers:
        """The PostgreSQL and the Valkey of this run; for what only a superuser can prepare."""
        return self._servers

    @pytest.fixture(scope="session")
    def django_db_setup(self, django_test_environment: None, django_db_blocker: Any) -> None:
        """Make the migrated database once; tests use it as it is, as the application role."""
        with django_db_blocker.unblock():
            self._servers.make_database()

    @pytest.fixture(autouse=True)
    def _no_keys_left(self) -> None:
        """Begin every test with an empty Valkey, so that no limit and no cache of another test is felt."""
        self._servers.forget_keys()

    @pytest.fixture
    def web_servers(self, django_db_setup: None, tmp_path: Path) -> Iterator[Callable[..., list[WebServer]]]:
        """Return what starts so many web processes on this test's database; for use beside `committed_db`."""
        started: list[WebServer] = []

        def start(count: int = 1, **variables: str) -> list[WebServer]:
            environment = {**os.environ, **self._servers.variables, **variables}
            servers = [WebServer(environment, tmp_path / f"web-{number}.log") for number in range(count)]
            started.extend(servers)
            for server in servers:
                server.wait_until_ready()
            return servers

        yield start
        for server in started:
            server.kill()

    @pytest.fixture
    def committed_db(
        self, request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
    ) -> Iterator[None]:
        """Open the database to a test that commits, uses threads or starts processes; empty it again afterwards."""
        from django.db import connections

        if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
            raise pytest.UsageError("a test uses either django_db (one transaction, rolled back) or committed_db")
        with django_db_blocker.unblock():
            try:
                yield
            finally:
                connections.close_all()
                self._servers.restore_rows()
