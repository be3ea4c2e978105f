"""The booking page in a browser: by mouse, by keyboard, without script, live, in two zones, in a frame."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from apps.organizations.models import Domain
from apps.scheduling.models import Appointment, Hold
from restartix.kernel import clock
from restartix.kernel.tenancy import acting_for
from tests.browser.conftest import RELAXED
from tests.browser.watching import Watched
from tests.scheduling.world import BUILDER, Api, Clinic, hold, next_weekday, z

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

POLICIES = {"privacy_policy": {"version": "1", "url": "https://example.org/p"}}
Window = Callable[..., Watched]


@pytest.fixture
def clinic() -> Clinic:
    made = Clinic.make(
        name="Clinica Mobil",
        specialists=2,
        primary_color="#C2410C",
        tagline="Recuperare fără grabă",
        phone="+40312345678",
        email="salut@example.org",
        settings={"policies": POLICIES},
    )
    made.template(50, gap_minutes=10, slug="visit", name="Prima consultație", price="220", mode="in_person")
    made.template(30, slug="check", name="Control la distanță", price="0", description="Pe video.")
    return made


@pytest.fixture
def home(clinic: Clinic) -> str:
    return f"/book/{clinic.organization.slug}/"


def fill(page: Page) -> None:
    page.fill("#name", "Maria Ionescu")
    page.fill("#email", "maria@example.org")
    page.fill("#phone", "0721 000 111")
    page.check("#agree_privacy_policy")


def keep(page: Page, number: int = 0) -> None:
    page.locator(".slots button").nth(number).click()
    page.wait_for_selector("#details")


def appointments(clinic: Clinic) -> list[Appointment]:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return list(Appointment.objects.order_by("id"))


def test_a_whole_booking_by_mouse(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base)
    page = watched.go(home)
    page.click("text=Prima consultație")
    page.click("text=Sara 1")
    page.click(".month [data-key=after]")
    page.wait_for_url("**month=**")
    page.locator(".month td a").nth(3).click()
    expect(page.locator("#list-title")).to_be_focused()
    keep(page, 2)
    expect(page.locator("#left")).to_have_text(re.compile(r"14:5\d|15:00"))
    page.click("#book")
    expect(page.locator(".bad")).to_be_focused()
    expect(page.locator(".bad a")).to_have_count(4)
    page.click('.bad a[href="#phone"]')
    expect(page.locator("#phone")).to_be_focused()
    fill(page)
    page.click("#book")
    expect(page.locator("h1")).to_have_text("Programarea este făcută")

    (made,) = appointments(clinic)
    assert (made.status, made.specialist_id) == ("booked", clinic.specialists[1].pk)
    with page.expect_download() as download:
        page.click("text=Fișier calendar (.ics)")
    assert download.value.suggested_filename == f"appointment-{made.uid}.ics"
    page.click("text=Anulează programarea")
    page.fill("#reason", "Sunt răcită")
    page.click("text=Da, anulează")
    expect(page.locator("h1")).to_have_text("Programarea este anulată")
    watched.check()


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until the focus is on `selector`."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_whole_booking_by_keyboard(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base, language="en")
    page = watched.go(home)
    press = page.keyboard.press

    tab_to(page, ".card:nth-child(2) .whole")
    press("Enter")
    page.wait_for_url("**/visit/*")
    tab_to(page, ".card:first-child .whole")
    press("Enter")
    page.wait_for_url("**/times/*")
    tab_to(page, ".month td a")
    press("PageDown")
    page.wait_for_url("**month=**")
    expect(page.locator(".month td a:focus")).to_have_count(1)
    first = page.evaluate("document.activeElement.dataset.day")
    press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.day")
    assert second > first
    press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.day") > second
    press("ArrowUp")
    assert page.evaluate("document.activeElement.dataset.day") == second
    press("Enter")
    page.wait_for_url(f"**day={second}**")
    expect(page.locator("#list-title")).to_be_focused()
    tab_to(page, ".slots button")
    press("Enter")
    page.wait_for_selector("#details")
    for name, text in (("name", "Ana Pop"), ("email", "ana@example.org"), ("phone", "+40 721 000 112")):
        tab_to(page, f"#{name}")
        page.keyboard.type(text)
    tab_to(page, "#agree_privacy_policy")
    press("Space")
    tab_to(page, "#book")
    press("Enter")
    expect(page.locator("h1")).to_have_text("Your appointment is booked")

    assert appointments(clinic)[0].started_at.strftime("%Y-%m-%d") == second
    watched.check()


def test_a_whole_booking_without_script(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base, width=390, java_script_enabled=False)
    page = watched.go(home)
    page.click("text=Prima consultație")
    page.click("text=Oricine este liber primul")
    page.locator(".month td a").first.click()
    page.locator(".slots button").nth(1).click()
    expect(page.locator(".kept")).to_contain_text("până la")
    page.fill("#name", "Maria Ionescu")
    page.click("text=Păstrează ora încă puțin")
    expect(page.locator("#name")).to_have_value("Maria Ionescu")
    page.click("text=Alege altă oră")
    page.locator(".slots button").nth(0).click()
    page.click("#book")
    expect(page.locator(".bad")).to_contain_text("Scrieți numele dumneavoastră")
    fill(page)
    page.click("#book")
    expect(page.locator("h1")).to_have_text("Programarea este făcută")

    assert len(appointments(clinic)) == 1
    with acting_for(clinic.organization.pk, actor=BUILDER):
        assert sorted(Hold.objects.values_list("status", flat=True)) == ["booked", "released"]
    watched.check()


def test_times_taken_elsewhere_turn_grey_and_come_back(window: Window, base: str, home: str, clinic: Clinic) -> None:
    alone = clinic.specialists[0]
    watched = window(base)
    page = watched.page
    with page.expect_request("**/timeslots/stream**"):
        watched.go(f"{home}visit/times/?with={alone.pk}")
    page.wait_for_timeout(300)
    start = page.locator(".slots button").nth(3).get_attribute("value")
    button = page.locator(f'.slots button[value="{start}"]')
    template = next(each for each in _templates(clinic) if each.slug == "visit")
    api = Api(port=int(base.rsplit(":", 1)[1]))

    held = hold(api, template, start, specialist_id=alone.pk)
    expect(button).to_be_disabled(timeout=2_000)
    expect(button).to_contain_text("ocupată")
    button.click(force=True)
    expect(page.locator("#said")).to_have_text("Ora tocmai a fost luată")
    assert page.locator("#times").count() == 1
    api.delete(f"/v1/scheduling/holds/{held.data['hold_id']}?token={held.data['hold_token']}")
    expect(button).to_be_enabled(timeout=2_000)
    watched.check()


def _templates(clinic: Clinic) -> list[Any]:
    from apps.scheduling.models import AppointmentTemplate

    with acting_for(clinic.organization.pk, actor=BUILDER):
        return list(AppointmentTemplate.objects.all())


def test_a_time_that_went_meanwhile_shows_the_nearest(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base)
    watched.page.route("**/timeslots/stream**", lambda route: route.abort())
    page = watched.go(home + "visit/times/")
    start = str(page.locator(".slots button").nth(4).get_attribute("value"))
    template = next(each for each in _templates(clinic) if each.slug == "visit")
    for _ in clinic.specialists:
        assert hold(Api(port=int(base.rsplit(":", 1)[1])), template, start).status == 201

    page.click(f'.slots button[value="{start}"]')

    expect(page.locator(".notice")).to_contain_text("tocmai a fost luată")
    expect(page.locator(".slots button")).to_have_count(6)
    expect(page.locator(f'.slots button[value="{start}"]')).to_have_count(0)


def test_going_back_gives_the_time_back(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base)
    page = watched.go(home + "visit/times/")
    keep(page)
    page.wait_for_timeout(300)

    with page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.status == 204):
        page.go_back()

    with acting_for(clinic.organization.pk, actor=BUILDER):
        assert [held.status for held in Hold.objects.all()] == ["released"]
    watched.check()


def test_the_countdown_is_said_at_five_two_and_one_minute(window: Window, base: str, home: str) -> None:
    watched = window(base)
    page = watched.page
    page.clock.install(time=clock.now())
    watched.go(home + "visit/times/")
    keep(page)
    page.evaluate(
        "() => { window.heard = []; new MutationObserver(() => heard.push(document.querySelector('#said').textContent))"
        ".observe(document.querySelector('#said'), {childList: true}); }"
    )

    for minutes in (9, 1.2, 1, 1, 1.1, 0.7):
        page.clock.run_for(int(minutes * 60_000))

    assert page.evaluate("heard") == [
        "Ora mai este păstrată cinci minute.",
        "Ora mai este păstrată două minute.",
        "Ora mai este păstrată un minut.",
    ]
    watched.check()


def test_a_time_that_lapsed_can_be_taken_again(window: Window, web_servers: Any, home: str, clinic: Clinic) -> None:
    server = web_servers(1, **RELAXED, HOLD_TTL="2", HOLD_LEASE="2", HOLD_RENEW="1", HOLD_CAP="2")[0]
    watched = window(server.url, width=390)
    page = watched.go(home + "visit/times/")
    keep(page)
    fill(page)

    expect(page.locator("#over")).to_be_focused(timeout=6_000)
    expect(page.locator("#book")).to_be_disabled()
    page.click("#over button")
    page.wait_for_selector("#over", state="hidden")
    expect(page.locator("#phone")).to_have_value("0721 000 111")
    expect(page.locator("#agree_privacy_policy")).to_be_checked()
    page.click("#book")
    expect(page.locator("h1")).to_have_text("Programarea este făcută")

    assert len(appointments(clinic)) == 1
    watched.check()


def test_without_streams_the_page_asks_by_itself(window: Window, base: str, home: str) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(status=429, body="{}")

    watched = window(base)
    page = watched.page
    page.route("**/stream**", refuse)
    page.clock.install(time=clock.now())
    watched.go(home + "visit/times/")
    page.wait_for_timeout(300)
    with page.expect_response(lambda answer: "/visit/times/" in answer.url and answer.status == 200):
        page.clock.run_for(20_500)

    keep(page)
    page.wait_for_timeout(300)
    with page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.status == 200):
        page.clock.run_for(10_500)


def test_a_visitor_elsewhere_sees_two_clocks(window: Window, base: str, home: str, clinic: Clinic) -> None:
    watched = window(base, timezone_id="America/New_York")
    day = next_weekday(2)
    page = watched.go(f"{home}check/times/?day={day:%Y-%m-%d}")
    button = page.locator(f'.slots button[value="{z(day)}"]')
    theirs = day - timedelta(hours=5 if day.month in (11, 12, 1, 2) else 4)

    expect(button).to_contain_text(f"{theirs:%H:%M} New York")
    expect(
        page.get_by_role("button", name=re.compile(rf"^miercuri, .*, \d\d:00 {theirs:%H:%M} New York$"))
    ).to_have_count(1)
    button.click()
    fill(page)
    page.click("#book")
    page.wait_for_selector(".outcome")

    assert appointments(clinic)[0].timezone == "America/New_York"
    watched.check()


class TestInAFrame:
    @pytest.fixture
    def site(self, tmp_path: Path, base: str, home: str) -> Iterator[str]:
        """The clinic's own site, on a host of its own."""
        script = f'<script src="{base}{home}embed.js" data-service="visit" data-lang="en" async></script>'
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "index.html").write_text(
            f"<!doctype html><title>Site</title><h1>Site</h1>{script}<p>End</p>"
        )

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()

    def test_of_a_verified_domain_it_grows_with_its_content(
        self, window: Window, base: str, clinic: Clinic, site: str
    ) -> None:
        with acting_for(clinic.organization.pk, actor=BUILDER):
            Domain.objects.create(
                domain=site.removeprefix("http://"),
                kind="clinic",
                status="verified",
                record_value="x",
                verified_at=clock.now(),
            )
        watched = window(base)
        page = watched.page
        page.goto(site)
        frame = page.frame_locator("iframe")
        frame.locator(".card .whole").first.click()
        expect(frame.locator("#list-title")).to_have_text("Next free times")
        expect(frame.locator("body")).to_be_visible()
        page.wait_for_function(
            "() => { const frame = document.querySelector('iframe'); return frame.style.height.endsWith('px') }"
        )
        inner = frame.locator("body").evaluate("body => Math.ceil(body.getBoundingClientRect().height)")

        assert abs(page.locator("iframe").evaluate("frame => frame.clientHeight") - inner) <= 2
        assert watched.context.cookies() == []
        assert not [text for text in watched.console if "Content Security" in text]

    def test_of_any_other_site_it_stays_empty(self, window: Window, base: str, site: str) -> None:
        watched = window(base)
        watched.page.goto(site)
        watched.page.wait_for_timeout(1_000)

        assert any("frame-ancestors" in text for text in watched.console)


def test_the_first_look_is_light(window: Window, base: str, home: str) -> None:
    for path in (home, home + "visit/", home + "visit/times/"):
        assert window(base).first_load(path) < 150_000
