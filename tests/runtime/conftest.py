"""A data folder that is prepared once, and `manage.py up` on it."""

import tempfile
from pathlib import Path

import pytest

from restartix.testing.processes import Up


@pytest.fixture(scope="module")
def open_folder():
    """A temporary folder that PostgreSQL may enter: it runs as another user when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="restartix-runtime-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def prepared(open_folder):
    """A data folder that one `up` has prepared; that one was stopped again."""
    folder = open_folder / "data"
    up = Up(folder)
    try:
        up.wait_until_ready()
    finally:
        code = up.stop()
    assert code == 0, up.said
    return folder


@pytest.fixture
def start(prepared):
    """Start `manage.py up` on the prepared folder and wait until it is ready; it is killed if it outlives the test."""
    started = []

    def run(*arguments, **variables):
        started.append(Up(prepared, *arguments, **variables))
        started[-1].wait_until_ready()
        return started[-1]

    yield run
    for up in started:
        up.end()
