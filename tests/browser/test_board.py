"""The live board in a real Chromium: visits moved by hand and by keyboard, what is refused, and two windows at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments
from restartix.kernel import clock
from tests.admin.office import appointment, booking, hold, template
from tests.browser.watching import Watched
from tests.make import profiles
from tests.make.cast import Cast
from tests.make.organizations import SYSTEM, within

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

HOUR = timedelta(hours=1)
#: Milliseconds; a hint takes one second at most, a shared machine's browser some more. Polling would take fifteen.
HEARD = 5_000


@dataclass
class Clinic:
    """Sara's Monday and Tudor's: a visit of Ana's at ten, a booking at eleven, somebody choosing thirteen o'clock."""

    cast: Cast
    start: datetime
    visit: Appointment
    offered: Any

    @property
    def path(self) -> str:
        return f"/admin/?date={self.start.date()}"

    def now(self) -> Appointment:
        """The visit as it stands."""
        with within(self.cast.sud):
            return Appointment.objects.get(pk=self.visit.pk)


@pytest.fixture
def clinic(cast: Cast) -> Clinic:
    today = clock.now().replace(hour=8, minute=0, second=0, microsecond=0)
    start = today + timedelta(days=7 - today.weekday())
    offered = template(cast.sud, cast.sara.specialist)
    visit = appointment(cast.sud, cast.sara.specialist, offered, start, "Ana-Maria Constantinescu")
    booking(cast.sud, offered, start + HOUR, "Maria Ionescu")
    hold(cast.sud, offered, start + 3 * HOUR)
    return Clinic(cast, start, visit, offered)


@pytest.fixture
def board(window: Callable[..., Watched], base: str, clinic: Clinic) -> Callable[..., Watched]:
    """Opens the board for a person of the cast: Ion, unless another one is named."""

    def open_board(person: Any = None, path: str = "", **options: Any) -> Watched:
        watched = window(base, **{"language": "en", **options})
        client = Client()
        client.force_login((person or clinic.cast.ion).user)
        name = settings.SESSION_COOKIE_NAME
        watched.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": base}])
        watched.go(path or clinic.path)
        return watched

    return open_board


def block(page: Page, clinic: Clinic) -> Locator:
    return page.locator(f'[data-id="{clinic.visit.pk}"]')


def column(page: Page, name: str) -> Locator:
    return page.locator(f'[data-column][data-name="{name}"]')


def lift(page: Page, clinic: Clinic, *, hours: float = 0, to: str = "", drop: bool = True) -> None:
    """Take the visit and carry it so many hours down, or to somebody else's column."""
    at = block(page, clinic).bounding_box()
    step = page.locator(".ground").first.bounding_box()["height"] / 120
    x, y = at["x"] + 40, at["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 12, y + 6, steps=3)
    target = column(page, to).bounding_box()["x"] + 40 if to else x
    page.mouse.move(target, y + hours * 12 * step, steps=8)
    if drop:
        page.mouse.up()


def hears(watched: Watched) -> None:
    """Wait until the page is told of changes."""
    watched.page.wait_for_selector("#board[data-live=stream]")


def quiet(watched: Watched) -> None:
    assert watched.console == []
    assert watched.outside == []


class TestByHand:
    def test_a_visit_moves_to_another_time_and_back_again(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board()
        page = watched.page

        lift(page, clinic, hours=2)

        said = page.locator("[data-toast-text]")
        expect(said).to_contain_text("Ana-Maria Constantinescu is now at ")
        expect(block(page, clinic)).to_contain_text("12:00–12:50")
        assert clinic.now().started_at == clinic.start + 2 * HOUR

        page.get_by_role("button", name="Undo").click()

        expect(block(page, clinic)).to_contain_text("10:00–10:50")
        assert clinic.now().started_at == clinic.start
        quiet(watched)

    def test_a_visit_moves_to_another_specialist(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page

        lift(page, clinic, to="Tudor Pop")

        expect(column(page, "Tudor Pop").locator(f'[data-id="{clinic.visit.pk}"]')).to_be_visible()
        assert clinic.now().specialist_id == clinic.cast.tudor.specialist.pk

    def test_the_ghost_says_where_it_would_be(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page

        lift(page, clinic, hours=2.1, to="Tudor Pop", drop=False)

        ghost = page.locator(".is-ghost")
        expect(ghost.locator(".time")).to_have_text("12:00–12:50")  # a quarter of an hour catches it
        page.keyboard.press("Escape")
        expect(ghost).to_have_count(0)
        page.mouse.up()
        expect(page.locator("dialog[open]")).to_have_count(0)
        assert clinic.now().started_at == clinic.start

    def test_a_time_that_is_taken_sends_it_back_and_says_why(
        self, board: Callable[..., Watched], clinic: Clinic
    ) -> None:
        page = board().page

        lift(page, clinic, hours=1)

        said = page.locator("[data-toast-text]")
        expect(said).to_have_text("Dr. Sara Marin is not free: Maria Ionescu has 11:00–12:00.")
        assert said.get_attribute("role") == "status"
        expect(block(page, clinic)).to_contain_text("10:00–10:50")
        expect(page.locator(".is-ghost, .is-lifted")).to_have_count(0)
        assert clinic.now().started_at == clinic.start

    def test_whoever_was_slower_is_told_who_was_faster(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        lift(page, clinic, hours=2, drop=False)  # in the hand, so the board waits
        with within(clinic.cast.sud):
            appointments.reschedule(clinic.visit, started_at=clinic.start + 5 * HOUR, by=SYSTEM)

        page.mouse.up()

        expect(page.locator("[data-toast-text]")).to_contain_text("moved this visit at")
        expect(block(page, clinic)).to_contain_text("15:00–15:50")
        assert clinic.now().started_at == clinic.start + 5 * HOUR

    def test_at_the_edge_the_board_scrolls_along(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        scroll = page.locator(".board-scroll")
        before = scroll.evaluate("part => part.scrollTop")
        lift(page, clinic, hours=1, to="Tudor Pop", drop=False)

        edge = scroll.bounding_box()
        page.mouse.move(edge["x"] + 300, min(edge["y"] + edge["height"], 900) - 10, steps=4)

        page.wait_for_function("before => document.querySelector('.board-scroll').scrollTop > before + 50", arg=before)
        page.keyboard.press("Escape")
        page.mouse.up()

    def test_what_is_over_stays_where_it_is(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        with within(clinic.cast.sud):
            Appointment.objects.filter(pk=clinic.visit.pk).update(status="inprogress")
        page = board().page

        lift(page, clinic, hours=2)

        expect(block(page, clinic)).to_contain_text("10:00–10:50")
        assert clinic.now().started_at == clinic.start


class TestByKeyboard:
    def test_m_moves_a_visit_and_the_focus_stays_with_it(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board()
        page = watched.page
        page.locator(f"#visit-{clinic.visit.pk}").focus()

        page.keyboard.press("m")
        expect(page.locator("#card-time")).to_be_focused()
        page.locator("#card-time").fill("15:00")
        page.locator("#card-specialist").select_option(label="Tudor Pop")
        page.locator("#card-time").press("Enter")

        expect(page.locator("[data-toast-text]")).to_contain_text("with Tudor Pop.")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator(f"#visit-{clinic.visit.pk}")).to_be_focused()
        assert clinic.now().started_at == clinic.start + 5 * HOUR
        quiet(watched)

    def test_a_taken_time_is_told_in_the_card(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        page.locator(f"#visit-{clinic.visit.pk}").press("m")
        page.locator("#card-time").fill("11:00")
        page.locator("#card-time").press("Enter")

        expect(page.get_by_role("alert")).to_contain_text("Maria Ionescu has 11:00–12:00")
        assert clinic.now().started_at == clinic.start

    def test_enter_opens_the_card_and_escape_goes_back(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        page.locator(f"#visit-{clinic.visit.pk}").press("Enter")
        expect(page.get_by_role("dialog")).to_contain_text("Ana-Maria Constantinescu")
        page.keyboard.press("Escape")

        expect(page.locator(f"#visit-{clinic.visit.pk}")).to_be_focused()

    def test_a_visit_is_cancelled_with_its_reason(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        page.locator(f"#visit-{clinic.visit.pk}").press("Enter")
        page.locator("summary", has_text="Cancel").press("Enter")
        page.locator("#id_cancel-reason").fill("The patient is ill")
        page.locator(".card-more button", has_text="Cancel").press("Enter")

        expect(page.locator("[data-toast-text]")).to_have_text("Ana-Maria Constantinescu: Cancel.")
        expect(block(page, clinic)).to_have_count(0)
        assert clinic.now().cancel_reason == "The patient is ill"

    def test_arrows_go_from_visit_to_visit(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        page.locator(f"#visit-{clinic.visit.pk}").press("ArrowDown")

        assert "Maria Ionescu" in page.evaluate("document.activeElement.textContent")


class TestTwoWindows:
    def test_one_moves_and_the_other_sees_it_at_once(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        ion, mara = board(), board(clinic.cast.mara)
        hears(ion)

        lift(mara.page, clinic, hours=2)

        expect(block(ion.page, clinic)).to_contain_text("12:00–12:50", timeout=HEARD)
        expect(ion.page.locator("[data-announce]")).to_contain_text("Moved: ")

    def test_an_arrival_is_seen_by_the_specialist(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        today = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=20)
        row = appointment(clinic.cast.sud, clinic.cast.sara.specialist, clinic.offered, today, "Dan Petrescu")
        path = f"/admin/?date={row.started_at.astimezone(ZoneInfo('Europe/Bucharest')).date()}"
        desk, sara = board(clinic.cast.mara, path), board(clinic.cast.sara, path)
        hears(sara)
        desk.page.locator(f"#visit-{row.pk}").press("Enter")
        desk.page.get_by_role("button", name="Arrived").press("Enter")

        expect(sara.page.locator(f"#visit-{row.pk}")).to_contain_text("here, 0 min", timeout=HEARD)

    def test_without_the_stream_the_page_asks(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board(path="/admin/scheduling/")
        watched.page.route("**/today/stream/**", lambda route: route.abort())
        page = watched.go(clinic.path)
        expect(page.locator(".block.s-booked")).to_have_count(1)

        booking(clinic.cast.sud, clinic.offered, clinic.start + 5 * HOUR, "Dan Petrescu")

        expect(page.locator(".block.s-booked")).to_have_count(2, timeout=25_000)

    def test_a_lost_connection_is_told(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board(path="/admin/scheduling/")
        watched.page.route("**/today/stream/**", lambda route: route.abort())
        watched.page.route("**/today/board/**", lambda route: route.abort())
        page = watched.go(clinic.path)

        expect(page.locator("[data-offline]")).to_be_visible(timeout=40_000)

    def test_whoever_is_signed_out_is_told(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board()
        page = watched.page
        hears(watched)
        watched.context.clear_cookies()

        booking(clinic.cast.sud, clinic.offered, clinic.start + 5 * HOUR, "Dan Petrescu")

        expect(page.locator("[data-signed-out]")).to_be_visible(timeout=HEARD)


class TestWhatIsShown:
    def test_a_new_booking_shows_by_itself_and_is_announced(
        self, board: Callable[..., Watched], clinic: Clinic
    ) -> None:
        watched = board()
        page = watched.page
        page.locator(f"#visit-{clinic.visit.pk}").focus()
        hears(watched)

        booking(clinic.cast.sud, clinic.offered, clinic.start + 5 * HOUR, "Dan Petrescu")

        expect(page.locator(".block.s-booked")).to_have_count(2, timeout=HEARD)
        expect(page.locator("[data-announce]")).to_contain_text("New appointment: ")
        expect(page.locator("[data-announce]")).to_contain_text("Dan Petrescu")
        assert page.evaluate("document.activeElement.id") == f"visit-{clinic.visit.pk}"
        quiet(watched)

    def test_a_hold_counts_down_and_is_released_by_keyboard(
        self, board: Callable[..., Watched], clinic: Clinic
    ) -> None:
        page = board().page
        left = page.locator(".kept [data-clock]")
        expect(left).to_have_text(re.compile(r"4:[0-5]\d"))
        first = left.inner_text()
        expect(left).not_to_have_text(first)

        page.get_by_role("button", name="Release").press("Enter")

        page.wait_for_selector(".message.success")
        assert page.url.endswith(clinic.path)
        expect(page.locator(".is-hold.block")).to_have_count(0)

    def test_the_line_of_now_moves(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        always = [{"day": day, "start": "00:00", "end": "00:00"} for day in range(7)]
        profiles.specialist(clinic.cast.sud, "Night Owl", weekly=always)
        watched = board(path="/admin/scheduling/")
        watched.page.clock.install()
        page = watched.go(f"/admin/?date={clock.now().astimezone(ZoneInfo('Europe/Bucharest')).date()}")
        line = page.locator("[data-now-line]").first
        row = "part => Number(getComputedStyle(part).gridRowStart)"
        before = line.evaluate(row)

        page.clock.run_for(11 * 60 * 1000)

        assert line.evaluate(row) in (before + 2, before + 3) or not line.is_visible()

    def test_a_telephone_shows_a_list_and_the_card_from_below(
        self, board: Callable[..., Watched], clinic: Clinic
    ) -> None:
        page = board(width=390, has_touch=True).page
        assert page.locator(".axis").is_hidden()
        expect(column(page, "Dr. Sara Marin")).to_contain_text("10:00–10:50")

        page.locator(f"#visit-{clinic.visit.pk}").tap()

        expect(page.get_by_role("dialog")).to_contain_text("Ana-Maria Constantinescu")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

    def test_free_time_leads_to_a_new_appointment_there(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board().page
        free = column(page, "Tudor Pop").locator(".free-link").first
        box = free.bounding_box()

        page.mouse.click(box["x"] + 20, box["y"] + box["height"] * 0.51)  # of 09:00 to 17:00

        page.wait_for_url("**/appointment/add/**")
        assert f"started_at={clinic.start.date()}T13%3A00" in page.url

    def test_without_script_a_visit_is_a_link_to_its_page(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        page = board(java_script_enabled=False).page
        page.locator(f"#visit-{clinic.visit.pk}").click()

        expect(page.locator("h1")).to_contain_text("Ana-Maria Constantinescu")
        expect(page.get_by_role("link", name="Move", exact=True)).to_be_visible()

    @pytest.mark.parametrize(("language", "dark", "width"), [("ro", True, 390), ("en", False, 1366)])
    def test_the_card_and_what_was_said_are_accessible(
        self, board: Callable[..., Watched], clinic: Clinic, language: str, dark: bool, width: int
    ) -> None:
        watched = board(language=language, dark=dark, width=width)
        page = watched.page
        page.locator(f"#visit-{clinic.visit.pk}").press("m")
        page.locator("#card-time").fill("11:00")
        page.locator("#card-time").press("Enter")
        expect(page.locator("[data-problem]")).not_to_be_empty()
        assert watched.violations() == []

        page.locator("#card-time").fill("16:00")
        page.locator("#card-time").press("Enter")
        expect(page.locator("[data-toast]")).to_be_visible()
        assert watched.violations() == []
        quiet(watched)

    def test_the_page_weighs_less_than_promised(self, board: Callable[..., Watched], clinic: Clinic) -> None:
        watched = board(path="/admin/scheduling/")

        assert watched.first_load(clinic.path) < 350_000
