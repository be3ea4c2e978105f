"""Chromium, and windows that are closed again."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from restartix.testing.processes import WebServer
from restartix.testing.servers import TestServers
from tests.browser.watching import Watched

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


RELAXED = {
    "BOOKING_LIMITS": json.dumps(
        dict.fromkeys(("timeslots", "hold", "heartbeat", "release", "stream", "book", "manage"), "1000/m")
    ),
    "RATE_LIMIT_PUBLIC": "10000/m",
    "HOLD_LIMIT_CLIENT": "50",
    "HOLD_LIMIT_IP": "50",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for the tests of a module; each opens windows of its own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright's event loop lives in this thread, which Django takes for a mistake; nothing here runs at once.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "on")
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def base(test_servers: TestServers, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where one web process answers that serves all tests of a module, with limits that no test meets."""
    environment = {**os.environ, **test_servers.variables, **RELAXED}
    server = WebServer(environment, tmp_path_factory.mktemp("web") / "web.log")
    server.wait_until_ready()
    yield server.url
    server.kill()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens windows on a server: `window(server.url, width=390, language="en", dark=True)`."""
    opened: list[Watched] = []

    def open_window(base: str, **options: Any) -> Watched:
        opened.append(Watched.open(chromium, base, **options))
        return opened[-1]

    yield open_window
    for watched in opened:
        watched.close()
