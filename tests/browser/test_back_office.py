"""The back office in a real Chromium: by keyboard, on a telephone, without script, refreshed while it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.organizations.models import Membership
from apps.organizations.services import saved_views
from apps.scheduling.models import Appointment
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor
from tests.admin.office import appointment, booking, hold, template, waits
from tests.browser.watching import Watched
from tests.make.cast import Cast
from tests.make.organizations import within
from tests.make.profiles import consent, patient

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
    waits: Any
    booked: Appointment

    def paths(self) -> list[str]:
        """Every kind of page."""
        sara = self.cast.sara.specialist.pk
        with within(self.cast.sud):
            membership = Membership.objects.get(user=self.cast.mara.user).pk
            ion = Actor(kind="user", id=self.cast.ion.user.pk)
            narrowed, listed = "status__exact=upcoming", "scheduling.appointment"
            view = saved_views.keep(by=ion, listed=listed, name="To confirm", query=narrowed).pk
        return [
            f"/admin/?date={self.day}",
            f"/admin/week/?specialist={sara}&date={self.day}",
            "/admin/my-day/",
            f"/admin/today/print/?date={self.day}&notes=1",
            f"/admin/specialists/{sara}/calendar/",
            "/admin/hours/",
            f"/admin/hours/{sara}/",
            "/admin/scheduling/",
            "/admin/scheduling/appointment/",
            "/admin/scheduling/appointment/?status__exact=booked",
            f"/admin/scheduling/appointment/?{narrowed}&mode__exact=video&view={view}",
            f"/admin/scheduling/appointment/views/{view}/",
            f"/admin/scheduling/appointment/{self.visit.pk}/change/",
            f"/admin/appointments/{self.booked.pk}/take-in/",
            f"/admin/scheduling/appointment/add/?specialist={sara}&started_at={self.day}T15:00",
            "/admin/free/",
            f"/admin/free/?service={self.offered.pk}",
            "/admin/why/",
            f"/admin/why/?service={self.offered.pk}&start={self.day}T10:00",
            f"/admin/scheduling/appointment/{self.visit.pk}/history/",
            f"/admin/scheduling/appointment/moves/cancel/?ids={self.visit.pk}",
            f"/admin/scheduling/appointmenttemplate/{self.offered.pk}/change/",
            "/admin/scheduling/appointmenttemplate/add/",
            f"/admin/scheduling/appointmenttemplate/{self.offered.pk}/delete/",
            "/admin/scheduling/hold/",
            "/admin/scheduling/claim/",
            "/admin/scheduling/calendarfeed/",
            "/admin/scheduling/waitlistentry/",
            f"/admin/scheduling/waitlistentry/{self.waits.pk}/change/",
            f"/admin/scheduling/waitlistentry/moves/remove/?ids={self.waits.pk}",
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
    booked = booking(cast.sud, offered, start.replace(hour=9), "Maria Ionescu")
    consent(patient(cast.sud, "MARIA IONESCU", phone="+40721000111"), "profile_sharing")
    hold(cast.sud, offered, start.replace(hour=11))
    cast.ion.user.set_password(PASSWORD)
    cast.ion.user.save()
    return Clinic(cast, start.date().isoformat(), visit, offered, start, waits(cast.sud, offered), booked)


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
