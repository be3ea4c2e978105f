"""Every step of the booking page by WCAG 2.2 AA, in both languages, light and dark, on a telephone and a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.test_booking import clinic as clinic  # noqa: PLC0414 (a fixture)
from tests.browser.test_booking import fill, keep
from tests.browser.test_booking import home as home  # noqa: PLC0414 (a fixture)
from tests.browser.watching import Watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

#: Each value of each dimension at least twice, and every pair of them once.
LOOKS = [("ro", False, 390), ("ro", True, 1366), ("en", True, 390), ("en", False, 1366)]
#: 320 px is a desk at 400 % (WCAG 1.4.10).
NARROW = {"width": 320, "height": 640}


def steps(page: Page, base: str, home: str) -> Any:
    """Go through the booking and yield the name of each step when the page stands."""
    page.goto(base + home)
    yield "services"
    page.goto(base + home + "visit/")
    yield "specialists"
    page.goto(base + home + "visit/times/")
    yield "times"
    page.click(".month [data-key=after]")
    page.wait_for_url("**month=**")
    page.locator(".month td a").nth(3).click()
    page.wait_for_url("**day=**")
    yield "day"
    address = page.url
    page.evaluate("document.querySelector('.slots button').value = '2026-01-05T09:00:00Z'")
    page.locator(".slots button").first.click()
    page.wait_for_selector(".notice")
    yield "gone"
    page.goto(address)
    keep(page)
    yield "details"
    page.evaluate(
        "fetch(document.querySelector('#details').dataset.stream + '?token='"
        " + document.querySelector('#details').elements.token.value, {method: 'DELETE'})"
    )
    page.wait_for_selector("#over")
    yield "lapsed"
    page.click("#over button")
    page.wait_for_selector("#over", state="hidden")
    page.click("#book")
    page.wait_for_selector(".bad")
    yield "errors"
    fill(page)
    page.click("#book")
    page.wait_for_selector(".outcome")
    yield "booked"
    page.goto(page.url.split("&booked")[0].replace("/?", "/cancel/?"))
    yield "cancel"
    page.click(".danger")
    page.wait_for_selector(".off")
    yield "cancelled"
    page.goto(base + home + "visit/times/")
    page.click("a[href*='/wait/']")
    page.wait_for_selector("#wait")
    yield "wait"
    page.click("#wait .main")
    page.wait_for_selector(".bad")
    yield "wait, errors"
    fill(page)
    page.click("#wait .main")
    page.wait_for_selector(".outcome")
    yield "waiting"
    page.click("[name=leave]")
    page.wait_for_selector(".outcome.off")
    yield "waiting no more"
    page.goto(base + home + "nothing/")
    yield "not found"
    page.goto(base + "/book/nowhere/")
    yield "no clinic"


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_step_is_accessible(
    window: Callable[..., Watched], base: str, home: str, language: str, dark: bool, width: int
) -> None:
    watched = window(base, language=language, dark=dark, width=width)
    found = {step: watched.violations() for step in steps(watched.page, base, home)}

    assert {step: violations for step, violations in found.items() if violations} == {}
    watched.check()


def test_every_step_fits_a_narrow_window(window: Callable[..., Watched], base: str, home: str) -> None:
    watched = window(base)
    watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]

    for step in steps(watched.page, base, home):
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], step
