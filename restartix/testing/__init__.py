"""The pytest plugin (`-p restartix.testing`): servers of its own, the application's database role, nothing shared.

Before Django's settings load, the environment is cleared of the project's variables and pointed at a PostgreSQL and a
Valkey below a temporary folder. PostgreSQL starts when the first test asks for it (at once under xdist, where each
worker then has a database and a Valkey number of its own). Tests run as the application role, never as owner or
superuser; the plugin alone uses the superuser, to make databases and to clean up after tests that commit.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from restartix.testing import fixtures
from restartix.testing.servers import TestServers

KEY = pytest.StashKey[TestServers]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Name the servers before anything imports Django's settings."""
    servers = TestServers.of_this_process()
    early_config.stash[KEY] = servers
    if getattr(early_config.known_args_namespace, "numprocesses", None) and servers.owned:
        servers.migrate_apart()
    return (yield)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--no-skips`, for where the whole suite has to run, and `--pictures`, for whoever writes them anew."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test makes the run fail")
    parser.addoption("--pictures", action="store_true", help="keep the pictures of the documentation in docs/images")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with `--no-skips` in which a test was skipped."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    """Offer the fixtures; registered this late they replace those of pytest-django."""
    config.pluginmanager.register(fixtures.Fixtures(config.stash[KEY]), "restartix-fixtures")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started and remove its folder."""
    servers: Any = config.stash.get(KEY, None)
    if servers:
        servers.stop()
