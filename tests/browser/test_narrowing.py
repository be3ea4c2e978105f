"""A list narrowed in a real Chromium: several filters and one Apply by keyboard, chips, saved views, without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.test_back_office import LOOKS, Clinic, clinic, desk, quiet  # noqa: F401 (fixtures)
from tests.browser.watching import Watched

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

LIST = "/admin/scheduling/appointment/"


def test_filters_are_chosen_and_applied_by_keyboard(desk: Callable[..., Watched], clinic: Clinic) -> None:  # noqa: F811
    watched = desk(language="en", width=1366)
    page = watched.go(LIST)

    page.focus("#searchbar")
    for key in ("Tab", "Tab", "Enter"):  # past the button, to the filters
        page.keyboard.press(key)
    page.locator("input[name=status__exact][value=booked]").focus()
    page.keyboard.press("Space")
    page.locator("input[name=mode__exact][value=in_person]").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")  # as in any form

    page.wait_for_url("**status__exact=booked&mode__exact=in_person")
    expect(page.locator(".chips li")).to_have_text(["Remove Status: Booked", "Remove Mode: In person", "Clear all"])
    page.locator(".chips a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?mode__exact=in_person")
    quiet(watched)


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without"])
def test_a_view_is_kept_and_opens_the_list(desk: Callable[..., Watched], clinic: Clinic, script: bool) -> None:  # noqa: F811
    page = desk(language="en", width=390, java_script_enabled=script).go(f"{LIST}?status__exact=booked")

    page.locator(".keep summary").click()
    page.fill("#view-name", "New bookings")
    page.get_by_label("Open the list with this view").check()
    page.locator(".keep-form button").click()

    page.wait_for_url("**view=*")
    page.goto(page.url.partition("?")[0])
    expect(page.locator(".views [aria-current]")).to_contain_text("New bookings")
    expect(page.locator(".chips li").first).to_contain_text("Booked")


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_open_form_is_accessible(
    desk: Callable[..., Watched],  # noqa: F811
    clinic: Clinic,  # noqa: F811
    language: str,
    dark: bool,
    width: int,
) -> None:
    watched = desk(language=language, dark=dark, width=width)
    for path in (f"{LIST}?status__exact=booked", "/admin/profiles/patient/?created_at__days=today"):
        page = watched.go(path)
        page.locator(".filters summary").click()
        page.locator(".keep summary").click()
        assert watched.violations() == []
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    quiet(watched)
