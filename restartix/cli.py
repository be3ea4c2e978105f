"""What happens between `manage.py COMMAND` and Django: development by default, and servers for the command to reach."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from restartix import environment
from restartix.embedded import state
from restartix.embedded.processes import ServerFailed
from restartix.embedded.servers import Servers
from restartix.environment import Environment

#: Commands that need neither database nor broker: none is started for them.
WITHOUT_SERVERS = frozenset(
    {"", "help", "version", "check", "collectstatic", "dev_secrets", "environment_docs", "lifecycles", "makemessages",
     "compilemessages", "findstatic", "diffsettings", "startapp"}
)  # fmt: skip
_HELP = frozenset({"-h", "--help", "--version"})


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0, 1 with a reason on standard error, or 2 on wrong usage."""
    command = arguments[1] if len(arguments) > 1 else ""
    environment.read_file()
    try:
        if command in ("test", "pytest"):
            return _test(arguments[2:])
        prefer_development(command)
        if command == "up" and not _HELP & set(arguments):
            from restartix.launch.up import main as up

            return up(arguments[2:])
        with _servers_for(command, arguments):
            return _django(arguments)
    except (ImproperlyConfigured, ServerFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def prefer_development(command: str) -> None:
    """Turn `DEBUG` on where nothing speaks of production: no `SECRET_KEY`, and for all but `up` no `DATABASE_URL`.

    What `DEBUG` says stands. A command takes `DEBUG` from the `manage.py up` that runs below the same data folder.
    """
    if os.environ.get("DEBUG"):
        return
    running = state.read(data_dir())
    if "debug" in running:
        os.environ["DEBUG"] = "on" if running["debug"] else "off"
    elif not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")) and (
        command == "up" or not os.environ.get("DATABASE_URL")
    ):
        os.environ["DEBUG"] = "on"


def data_dir() -> Path:
    """Return the data folder that the environment names, without reading the rest of it."""
    return (environment.ROOT / Path(os.environ.get("DATA_DIR") or ".data").expanduser()).resolve()


def _django(arguments: Sequence[str]) -> int:
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(bool(end.code))
    return 0


def _test(arguments: Sequence[str]) -> int:
    """Run the test suite; the plugin named in pyproject.toml starts its servers."""
    from restartix.launch.libraries import require_for_tests

    require_for_tests(arguments)
    import pytest

    return int(pytest.main(list(arguments)))


@contextmanager
def _servers_for(command: str, arguments: Sequence[str]) -> Iterator[None]:
    """Let the command reach the servers: the ones that run, else our own for as long as it takes."""
    settings = Environment.read(os.environ)
    needless = command in WITHOUT_SERVERS or command.startswith("-") or _HELP & set(arguments)
    if needless or not (settings.database_is_embedded or settings.redis_is_embedded):
        yield
        return
    with _owning_unless_running(settings.data_dir) as ours:
        if not ours:
            yield
            return
        servers = Servers(settings.data_dir)
        servers.start()
        try:
            os.environ.update(servers.variables)
            yield
        finally:
            servers.stop()


@contextmanager
def _owning_unless_running(folder: Path) -> Iterator[bool]:
    """Yield False if `manage.py up` runs below `folder`, True once the folder is ours; waits for other commands."""
    told = False
    while not state.read(folder):
        with state.owning(folder, wait=False) as held:
            if held:
                yield True
                return
        if not told:
            sys.stderr.write("another command uses the embedded database: waiting for it\n")
            told = True
        time.sleep(0.1)
    yield False
