"""My day, the day on paper and the calendar address in a real Chromium."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments
from restartix.kernel import clock
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor
from tests.admin.office import template
from tests.browser.test_back_office import LOOKS, NARROW, PASSWORD, quiet
from tests.browser.watching import Watched
from tests.make import profiles
from tests.make.cast import Cast
from tests.make.organizations import SYSTEM, within

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]


@pytest.fixture
def visit(cast: Cast) -> Appointment:
    """A visit of Sara's that begins in a minute, with notes."""
    sara = cast.sara.specialist
    start = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    offered = template(cast.sud, sara)
    who = profiles.patient(cast.sud, "Ana-Maria Constantinescu", phone="+40722000222")
    profiles.consent(who, "profile_sharing")
    with within(cast.sud):
        made = appointments.create(patient=who, specialist=sara, started_at=start, by=SYSTEM, template=offered)
        Appointment.objects.filter(pk=made.pk).update(notes="Anterior cruciate ligament.\nNo jumps.")
    cast.sara.user.set_password(PASSWORD)
    cast.sara.user.save()
    return made


@pytest.fixture
def sara(window: Callable[..., Watched], base: str, visit: Appointment) -> Callable[..., Watched]:
    """Opens a window in which Sara is signed in, where that leads her."""

    def open_window(**options: Any) -> Watched:
        watched = window(base, **options)
        page = watched.go("/admin/login/")
        page.fill("input[name=username]", "sara.marin@example.org")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/my-day/")
        return watched

    return open_window


def day_of(visit: Appointment) -> str:
    """The visit's day on the clinic's clock."""
    return visit.started_at.astimezone(ZoneInfo(visit.timezone)).date().isoformat()


def paths(cast: Cast, visit: Appointment) -> list[str]:
    """Every kind of page of a specialist's day."""
    tomorrow = (clock.now() + timedelta(days=1)).date()
    return [
        "/admin/my-day/",
        f"/admin/my-day/?date={tomorrow}",
        f"/admin/today/print/?date={day_of(visit)}&notes=1",
        f"/admin/today/print/?date={tomorrow}",
        f"/admin/specialists/{cast.sara.specialist.pk}/calendar/",
    ]


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_is_accessible(
    sara: Callable[..., Watched], cast: Cast, visit: Appointment, language: str, dark: bool, width: int
) -> None:
    watched = sara(language=language, dark=dark, width=width)
    found = {}
    for path in paths(cast, visit):
        watched.go(path)
        found[path] = watched.violations()
    watched.page.locator("button[name=_issue]").click()
    watched.page.wait_for_selector("#code-address")
    found["the address"] = watched.violations()

    assert {path: problems for path, problems in found.items() if problems} == {}
    quiet(watched)


def test_every_page_fits_a_narrow_window(sara: Callable[..., Watched], cast: Cast, visit: Appointment) -> None:
    watched = sara()
    watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]

    widths = {}
    for path in paths(cast, visit):
        watched.go(path)
        widths[path] = watched.page.evaluate("document.documentElement.scrollWidth")

    assert {path: width for path, width in widths.items() if width > NARROW["width"]} == {}


def test_shows_who_comes_next_and_hears_of_changes(
    sara: Callable[..., Watched], cast: Cast, visit: Appointment
) -> None:
    watched = sara(language="en")
    page = watched.page
    first = page.locator(".visit.is-first")
    expect(first).to_contain_text("Ana-Maria Constantinescu")
    expect(first).to_contain_text("No jumps.")
    first.locator("h3 a").focus()

    with within(cast.sud):
        row = Appointment.objects.get(pk=visit.pk)
        admin = Actor(kind="user", id=cast.ion.user.pk).within(cast.sud.pk, Role.ADMIN)
        appointments.change_status(row, to=AppointmentStatus.CONFIRMED, by=admin)

    expect(first).to_contain_text("Confirmed", timeout=12_000)
    expect(page.locator("[data-announce]")).to_have_text("Your day has changed.")
    assert page.evaluate("document.activeElement.textContent") == "Ana-Maria Constantinescu"
    quiet(watched)


def test_moves_the_visit_by_keyboard_and_comes_back(sara: Callable[..., Watched], visit: Appointment) -> None:
    page = sara(language="en").page
    page.locator(".visit.is-first").get_by_role("button", name="Start", exact=True).focus()
    page.keyboard.press("Enter")

    page.wait_for_selector(".message.success")
    expect(page.locator("#first-title")).to_have_text("Now")


def test_works_without_script(sara: Callable[..., Watched], cast: Cast, visit: Appointment) -> None:
    page = sara(language="en", java_script_enabled=False).page
    page.get_by_role("link", name="List to print").click()
    expect(page.locator("table.rows")).to_contain_text("Ana-Maria Constantinescu")
    page.get_by_label("With notes").check()
    page.get_by_role("button", name="Show").click()

    expect(page.locator("table.rows")).to_contain_text("No jumps.")


def test_paper_is_white_with_black_letters_whatever_the_screen(
    sara: Callable[..., Watched], visit: Appointment
) -> None:
    page = sara(dark=True).go(f"/admin/today/print/?date={day_of(visit)}")
    page.emulate_media(media="print")

    styles = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator("tbody th").first.evaluate(styles) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.locator(".paper-choice").is_hidden()
    assert page.locator(".top").is_hidden()
