"""The desk books in a real Chromium: a walk-in in three clicks, by keyboard, for a newcomer, and without script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from apps.profiles.models import ConsentRecord
from apps.scheduling.models import Appointment
from tests.admin.office import template
from tests.browser.watching import Watched
from tests.make.cast import Cast
from tests.make.organizations import within
from tests.make.profiles import patient

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

PASSWORD = "correct horse battery"
#: What the box of the patient suggests.
OPTIONS = "#pick-list [role=option]"


@pytest.fixture
def offered(cast: Cast) -> Any:
    """Two services, so that one has to be chosen; two people who are called alike."""
    patient(cast.sud, "Ana-Maria Popescu")
    template(cast.sud, cast.tudor.specialist, name="Massage")
    return template(cast.sud, cast.sara.specialist, cast.tudor.specialist)


@pytest.fixture
def desk(window: Callable[..., Watched], base: str, cast: Cast, offered: Any) -> Callable[..., Watched]:
    """Opens a window in which Mara of the desk looks at the free times."""
    cast.mara.user.set_password(PASSWORD)
    cast.mara.user.save()

    def open_desk(**options: Any) -> Watched:
        watched = window(base, language="en", **options)
        page = watched.go("/admin/login/?next=/admin/free/")
        page.fill("input[name=username]", "mara.stan@example.org")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("a.service")
        return watched

    return open_desk


def visits(cast: Cast) -> list[Appointment]:
    with within(cast.sud):
        return list(Appointment.objects.select_related("patient__person", "specialist").order_by("pk"))


def quiet(watched: Watched) -> None:
    assert watched.console == []
    assert watched.outside == []


def test_a_walk_in_takes_three_clicks(desk: Callable[..., Watched], cast: Cast) -> None:
    watched = desk()
    page = watched.page

    page.get_by_role("link", name="Consultation").click()
    page.locator(".free-people a").first.click()
    page.wait_for_selector("#id_who:focus")  # by itself
    page.keyboard.type("ana-m")
    expect(page.get_by_role("option", name="Ana-Maria Popescu")).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Book the visit").click()

    page.wait_for_selector(".messages .success")
    (visit,) = visits(cast)
    assert (visit.patient.person.name, visit.specialist, visit.title) == (
        "Ana-Maria Popescu",
        cast.sara.specialist,
        "Consultation",
    )
    expect(page.locator(f"#visit-{visit.pk}")).to_be_visible()
    quiet(watched)


def test_a_visit_is_booked_by_keyboard_alone(desk: Callable[..., Watched], cast: Cast) -> None:
    watched = desk()
    page = watched.page

    press_until(page, "Consultation 50 min")
    page.keyboard.press("Enter")
    expect(page.locator(".free-people a").first).to_be_visible()
    press_until(page, "Dr. Sara Marin")
    page.keyboard.press("Enter")
    page.wait_for_selector("#id_who:focus")
    page.keyboard.type("pop")
    expect(page.locator(OPTIONS)).to_have_count(3)  # two patients, and a new one
    expect(page.get_by_role("option", name="Ana Pop")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#id_who")).to_have_value("Ana-Maria Popescu")
    expect(page.get_by_role("button", name="Book the visit")).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_selector(".messages .success")
    assert [visit.patient.person.name for visit in visits(cast)] == ["Ana-Maria Popescu"]
    quiet(watched)


def press_until(page: Page, text: str) -> None:
    """Press Tab until a link with the text has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator("a:focus")
        if focused.count() and text in " ".join(focused.inner_text().split()):
            return
    raise AssertionError(f"{text} is not reached by Tab")


def test_enter_in_a_hurry_chooses_nobody_of_several(desk: Callable[..., Watched], cast: Cast) -> None:
    watched = desk()
    page = watched.page
    page.get_by_role("link", name="Consultation").click()
    page.locator(".free-people a").first.click()
    page.wait_for_selector("#id_who:focus")

    page.keyboard.type("pop")
    page.keyboard.press("Enter")

    expect(page.locator(OPTIONS)).to_have_count(3)
    expect(page.locator("#id_who")).to_have_value("pop")
    page.keyboard.press("Escape")
    expect(page.locator(OPTIONS)).to_have_count(0)
    assert visits(cast) == []


def test_a_newcomer_is_taken_in_on_the_way(desk: Callable[..., Watched], cast: Cast) -> None:
    watched = desk(width=390, dark=True)
    page = watched.page
    page.get_by_role("link", name="Consultation").click()
    page.locator(".free-people a").first.click()

    page.locator("#id_who").press_sequentially("Zenobia Albu")
    page.get_by_role("option", name="New patient: Zenobia Albu").click()
    expect(page.locator("#id_new_name")).to_have_value("Zenobia Albu")
    expect(page.locator("#id_new_phone")).to_be_focused()
    page.keyboard.type("+40 721 000 222")
    page.get_by_label("Has agreed on paper to: Privacy policy").check()
    assert watched.violations() == []
    page.get_by_role("button", name="Book the visit").click()

    page.wait_for_selector(".messages .success")
    (visit,) = visits(cast)
    assert (visit.patient.person.name, visit.patient.person.phone) == ("Zenobia Albu", "+40721000222")
    with within(cast.sud):
        assert ConsentRecord.objects.filter(patient=visit.patient).count() == 2
    quiet(watched)


def test_the_open_list_is_accessible(desk: Callable[..., Watched]) -> None:
    watched = desk(dark=True)
    page = watched.page
    page.get_by_role("link", name="Consultation").click()
    page.locator(".free-people a").first.click()
    page.locator("#id_who").press_sequentially("pop")
    expect(page.locator(OPTIONS)).to_have_count(3)

    assert watched.violations() == []
    quiet(watched)


def test_everything_works_without_script(desk: Callable[..., Watched], cast: Cast) -> None:
    watched = desk(java_script_enabled=False)
    page = watched.page
    page.get_by_role("link", name="Consultation").click()
    page.get_by_label("Specialist").select_option(label="Tudor Pop")
    page.get_by_role("button", name="Look").click()
    page.locator(".free-people a").first.click()
    page.fill("#id_who", "pop")
    page.get_by_role("button", name="Book the visit").click()

    page.get_by_role("radio", name="Ana-Maria Popescu").check()
    page.get_by_role("button", name="Book the visit").click()

    page.wait_for_selector(".messages .success")
    (visit,) = visits(cast)
    assert (visit.patient.person.name, visit.specialist) == ("Ana-Maria Popescu", cast.tudor.specialist)


def test_a_time_that_somebody_took_meanwhile_is_told_and_another_is_near(
    desk: Callable[..., Watched], cast: Cast, offered: Any
) -> None:
    first, second = desk().page, desk().page
    for page in (first, second):
        page.get_by_role("link", name="Consultation").click()
        page.locator(".free-people a").first.click()
        page.locator("#id_who").press_sequentially("ana-m")
        page.get_by_role("option", name="Ana-Maria Popescu").click()

    first.get_by_role("button", name="Book the visit").click()
    first.wait_for_selector(".messages .success")
    second.get_by_role("button", name="Book the visit").click()

    expect(second.get_by_role("alert")).to_contain_text("That time is taken")
    expect(second.locator("#id_who")).to_have_value("Ana-Maria Popescu")
    second.get_by_role("link", name="Find a free time").click()
    expect(second.locator(".free-time").first).to_be_visible()
    assert len(visits(cast)) == 1
