"""The back office in a real Chromium: by keyboard, on a telephone, without script, refreshed while it is looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.organizations.models import Membership
from apps.scheduling.models import Appointment
from restartix.kernel import clock
from tests.admin.office import appointment, booking, hold, template
from tests.browser.watching import Watched
from tests.make.cast import Cast
from tests.make.organizations import within

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

PASSWORD = "correct horse battery"
#: Each value of each dimension twice, and every pair of them once.
LOOKS = [("ro", False, 390), ("ro", True, 1366), ("en", True, 390), ("en", False, 1366)]
#: 320 px is a desk at 400 % (WCAG 1.4.10).
NARROW = {"width": 320, "height": 640}


@dataclass
class Clinic:
    """A clinic with a day worth looking at."""

    cast: Cast
    day: str
    visit: Appointment
    offered: Any
    start: Any

    def paths(self) -> list[str]:
        """Every kind of page."""
        sara = self.cast.sara.specialist.pk
        with within(self.cast.sud):
            membership = Membership.objects.get(user=self.cast.mara.user).pk
        return [
            f"/admin/?date={self.day}",
            "/admin/hours/",
            f"/admin/hours/{sara}/",
            "/admin/scheduling/",
            "/admin/scheduling/appointment/",
            "/admin/scheduling/appointment/?status__exact=booked",
            f"/admin/scheduling/appointment/{self.visit.pk}/change/",
            f"/admin/scheduling/appointment/{self.visit.pk}/history/",
            f"/admin/scheduling/appointment/moves/cancel/?ids={self.visit.pk}",
            f"/admin/scheduling/appointmenttemplate/{self.offered.pk}/change/",
            "/admin/scheduling/appointmenttemplate/add/",
            f"/admin/scheduling/appointmenttemplate/{self.offered.pk}/delete/",
            "/admin/scheduling/hold/",
            "/admin/scheduling/calendarfeed/",
            f"/admin/profiles/specialist/{sara}/change/",
            "/admin/forms/customfield/",
            "/admin/forms/customfield/add/",
            f"/admin/patients/{self.cast.ana.patient.pk}/fields/",
            f"/admin/organizations/organization/{self.cast.sud.pk}/change/",
            f"/admin/organizations/membership/{membership}/change/",
            "/admin/password_change/",
            "/admin/nowhere/",
        ]


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    """Sara's Monday: a visit, a booking by a stranger, a hold, a cancelled visit."""
    today = clock.now().replace(hour=8, minute=0, second=0, microsecond=0)
    start = today + timedelta(days=7 - today.weekday())
    offered = template(cast.sud, cast.sara.specialist)
    visit = appointment(cast.sud, cast.sara.specialist, offered, start, "Ana-Maria Constantinescu")
    booking(cast.sud, offered, start.replace(hour=9), "Maria Ionescu")
    hold(cast.sud, offered, start.replace(hour=11))
    cast.ion.user.set_password(PASSWORD)
    cast.ion.user.save()
    return Clinic(cast, start.date().isoformat(), visit, offered, start)


@pytest.fixture
def desk(window: Callable[..., Watched], base: str, clinic: Clinic) -> Callable[..., Watched]:
    """Opens a window in which Ion is signed in."""

    def open_desk(**options: Any) -> Watched:
        watched = window(base, **options)
        page = watched.go("/admin/login/")
        page.locator("input[name=username]:focus").wait_for()  # the field gets the focus by itself
        page.keyboard.type("ion.admin@example.org")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/")
        return watched

    return open_desk


def quiet(watched: Watched) -> None:
    """Assert that no page complained (a policy that was broken would) or asked another host."""
    assert [line for line in watched.console if "404" not in line] == []
    assert watched.outside == []


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_is_accessible(
    desk: Callable[..., Watched], clinic: Clinic, language: str, dark: bool, width: int
) -> None:
    watched = desk(language=language, dark=dark, width=width)
    found = {}
    for path in clinic.paths():
        watched.go(path)
        found[path] = watched.violations()

    assert {path: problems for path, problems in found.items() if problems} == {}
    quiet(watched)


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_door_is_accessible(
    window: Callable[..., Watched], base: str, clinic: Clinic, language: str, dark: bool, width: int
) -> None:
    watched = window(base, language=language, dark=dark, width=width)
    page = watched.go("/admin/login/")
    assert watched.violations() == []
    page.fill("#id_username", "ion.admin@example.org")
    page.fill("#id_password", "wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")

    assert watched.violations() == []
    quiet(watched)


def test_every_page_fits_a_narrow_window(desk: Callable[..., Watched], clinic: Clinic) -> None:
    watched = desk()
    watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]

    for path in clinic.paths():
        watched.go(path)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path


class TestTheBoard:
    def test_shows_a_new_booking_by_itself_and_announces_it(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        watched = desk(language="en")
        page = watched.go(f"/admin/?date={clinic.day}")
        expect(page.locator(".block.s-booked")).to_have_count(1)

        booking(clinic.cast.sud, clinic.offered, clinic.start.replace(hour=12), "Dan Petrescu")

        expect(page.locator(".block.s-booked")).to_have_count(2, timeout=12_000)
        expect(page.locator("[data-announce]")).to_contain_text("New appointment:")
        expect(page.locator("[data-announce]")).to_contain_text("Dan Petrescu")
        quiet(watched)

    def test_counts_a_hold_down_and_releases_it_by_keyboard(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        watched = desk(language="en")
        page = watched.go(f"/admin/?date={clinic.day}")
        left = page.locator(".holds [data-clock]")
        expect(left).to_have_text(re.compile(r"4:[0-5]\d"))
        first = left.inner_text()
        expect(left).not_to_have_text(first)

        page.get_by_role("button", name="Release").focus()
        page.keyboard.press("Enter")

        page.wait_for_selector(".message.success")
        assert page.url.endswith(f"/admin/?date={clinic.day}")
        expect(page.locator(".is-hold.block")).to_have_count(0)

    def test_keeps_the_focus_through_a_refresh(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        page = desk(language="en").go(f"/admin/?date={clinic.day}")
        page.locator(f"#visit-{clinic.visit.pk}").focus()

        booking(clinic.cast.sud, clinic.offered, clinic.start.replace(hour=12), "Dan Petrescu")

        expect(page.locator(".block.s-booked")).to_have_count(2, timeout=12_000)
        assert page.evaluate("document.activeElement.id") == f"visit-{clinic.visit.pk}"

    def test_says_when_the_connection_is_lost(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        page = desk(language="en").go(f"/admin/?date={clinic.day}")

        page.route("**/today/board/**", lambda route: route.abort())

        expect(page.locator("[data-offline]")).to_be_visible(timeout=20_000)

    def test_is_a_list_by_specialist_on_a_telephone(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        page = desk(language="en", width=390).go(f"/admin/?date={clinic.day}")

        assert page.locator(".axis").is_hidden()
        expect(page.locator("section.column").first).to_contain_text("10:00–10:50")

    def test_leads_to_the_appointment_and_its_phone(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        page = desk(language="en").go(f"/admin/?date={clinic.day}")
        page.locator(".block.s-booked a").focus()
        page.keyboard.press("Enter")

        expect(page.locator("h1")).to_contain_text("Maria Ionescu")
        expect(page.locator('a[href="tel:+40721000111"]')).to_be_visible()

    def test_weighs_less_than_promised(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        watched = desk()

        assert watched.first_load(f"/admin/?date={clinic.day}") < 350_000


class TestTheHours:
    def test_are_written_by_keyboard(self, desk: Callable[..., Watched], clinic: Clinic) -> None:
        watched = desk(language="en")
        page = watched.go(f"/admin/hours/{clinic.cast.sara.specialist.pk}/")
        rows = page.locator('[data-formset="weekly"] [data-row]:visible')
        expect(rows).to_have_count(5)

        page.get_by_role("button", name="Add hours").focus()
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "Day (row 6)"
        page.keyboard.type("Sat")
        page.get_by_label("From (row 6)").fill("10:00")
        page.get_by_label("Until (row 6)").fill("12:00")
        rows.first.get_by_role("button", name="Remove").click()
        page.get_by_role("button", name="Save").click()

        page.wait_for_selector(".message.success")
        assert self.days(page) == ["1", "2", "3", "4", "5"]
        quiet(watched)

    @staticmethod
    def days(page: Page) -> list[str]:
        selects = page.locator('[data-formset="weekly"] [data-row]:visible select').all()
        return [select.input_value() for select in selects]


def test_works_without_script(desk: Callable[..., Watched], clinic: Clinic) -> None:
    page = desk(language="en", java_script_enabled=False).go("/admin/scheduling/appointment/")
    page.locator("input.action-select").first.check()
    page.locator("select[name=action]").select_option("cancel")
    page.get_by_role("button", name="Go").click()
    page.fill("#id_reason", "The patient is ill")
    page.get_by_role("button", name="Cancel", exact=True).click()

    expect(page.locator(".message.success")).to_contain_text("Cancel: done.")


def test_the_theme_and_the_menu_obey_the_keyboard(desk: Callable[..., Watched], clinic: Clinic) -> None:
    watched = desk(language="en", width=390)
    page = watched.page
    page.get_by_role("button", name="Toggle theme").press("Enter")
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"

    menu = page.get_by_role("button", name="Menu")
    assert page.locator("#navigation").is_hidden()
    menu.press("Enter")
    expect(page.locator("#navigation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#navigation")).to_be_hidden()
    quiet(watched)


def test_the_first_stop_of_the_keyboard_skips_the_navigation(desk: Callable[..., Watched], clinic: Clinic) -> None:
    page = desk(language="en").go("/admin/scheduling/appointment/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "content"
