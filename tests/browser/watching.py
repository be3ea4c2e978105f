"""A browser that is watched: what its pages say on the console, ask of other hosts, keep as cookies, and weigh."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

#: axe-core 4.14.1 (npm package axe-core, Mozilla Public License 2.0: axe.LICENSE.txt), for tests only.
AXE = Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOCALES = {"ro": "ro-RO", "en": "en-GB"}
#: What Chromium logs of an answer that is refused on purpose (409, 422, 429).
EXPECTED_ON_CONSOLE = "Failed to load resource: the server responded with a status of 4"


@dataclass
class Watched:
    """One visitor's browser."""

    context: BrowserContext
    page: Page
    base: str
    console: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, browser: Browser, base: str, *, width: int = 1366, language: str = "ro", dark: bool = False, **more: Any
    ) -> Watched:
        """Open a browser window; `more` goes to Playwright (`java_script_enabled`, `timezone_id`)."""
        given = {"timezone_id": "Europe/Bucharest", "reduced_motion": "reduce", **more}
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 700 else 900},
            locale=LOCALES[language],
            color_scheme="dark" if dark else "light",
            **given,
        )
        context.set_default_timeout(30_000)
        watched = cls(context, context.new_page(), base)
        watched.page.on("console", watched._heard)
        watched.page.on("pageerror", lambda error: watched.console.append(str(error)))
        watched.page.on("request", watched._asked)
        return watched

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED_ON_CONSOLE):
            self.console.append(message.text)

    def _asked(self, request: Request) -> None:
        self.requests.append(f"{request.method} {request.url}")
        if not request.url.startswith((self.base, "data:", "blob:")):
            self.outside.append(request.url)

    def go(self, path: str) -> Page:
        """Open a page of ours."""
        self.page.goto(self.base + path)
        return self.page

    def check(self) -> None:
        """Assert that nothing was complained of, asked elsewhere or kept."""
        assert self.console == []
        assert self.outside == []
        assert self.context.cookies() == []

    def first_load(self, path: str) -> int:
        """Return how many bytes of bodies the first look at a page takes over the wire."""
        finished: list[Request] = []
        self.page.on("requestfinished", lambda request: finished.append(request))  # noqa: PLW0108 (Playwright marks it)
        self.page.goto(self.base + path, wait_until="load")
        shown = [request for request in finished if not urlsplit(request.url).path.endswith("/stream")]
        return sum(request.sizes()["responseBodySize"] for request in shown)

    def violations(self) -> list[str]:
        """Return what axe finds wrong with the page as it stands: rule and place."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
        )
        return [f"{each['id']}: {node['html'][:120]}" for each in found["violations"] for node in each["nodes"]]

    def close(self) -> None:
        """Close the window."""
        self.context.close()
