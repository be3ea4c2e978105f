"""The palette and the patient's sheet in a real Chromium: by keyboard, on a telephone, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from apps.organizations.models import Membership
from apps.profiles.models import ConsentRecord, Patient
from restartix.kernel import clock
from tests.admin.office import appointment, template
from tests.browser.watching import Watched
from tests.make.cast import Cast
from tests.make.organizations import within
from tests.make.profiles import consent, patient

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

PASSWORD = "correct horse battery"
LOOKS = [("ro", False, 390), ("ro", True, 1366), ("en", True, 390), ("en", False, 1366)]
#: 320 px is a desk at 400 % (WCAG 1.4.10).
NARROW = {"width": 320, "height": 640}


@dataclass
class Desk:
    """A clinic with a patient who shares the profile and one who does not."""

    cast: Cast
    shared: Patient
    closed: Patient
    record: ConsentRecord

    def paths(self) -> list[str]:
        """Every page of patients and members."""
        with within(self.cast.sud):
            membership = Membership.objects.get(user=self.cast.mara.user).pk
        return [
            "/admin/profiles/patient/",
            "/admin/profiles/patient/add/",
            f"/admin/patients/{self.shared.pk}/",
            f"/admin/patients/{self.closed.pk}/",
            f"/admin/profiles/patient/{self.shared.pk}/change/",
            f"/admin/profiles/patient/{self.closed.pk}/change/",
            f"/admin/profiles/patient/moves/remove/?ids={self.closed.pk}",
            "/admin/profiles/consentrecord/",
            f"/admin/profiles/consentrecord/{self.record.pk}/change/",
            f"/admin/profiles/consentrecord/add/?patient={self.closed.pk}",
            f"/admin/profiles/consentrecord/moves/withdraw/?ids={self.record.pk}",
            "/admin/profiles/patientpersonmanager/",
            f"/admin/profiles/patientpersonmanager/add/?patient={self.closed.pk}",
            "/admin/organizations/membership/",
            "/admin/organizations/membership/add/",
            f"/admin/organizations/membership/{membership}/change/",
        ]


@pytest.fixture
def desk(cast: Cast) -> Desk:
    """Maria shares everything, Dan nothing."""
    maria = patient(
        cast.sud,
        "Maria Țăran",
        email="maria@example.org",
        phone="+40721555777",
        date_of_birth=clock.now().date() - timedelta(days=20_000),
        sex="female",
        residence="Strada Lungă 7, București",
        allergies=["polen", "praf"],
        insurance_entries=[{"kind": "private", "insurer": "Allianz", "policy_number": "A-1", "valid_to": "2030-01-31"}],
    )
    record = consent(maria, "profile_sharing")
    start = clock.now().replace(hour=8, minute=0, second=0, microsecond=0)
    start += timedelta(days=7 - start.weekday())
    appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), start, maria)
    cast.ion.user.set_password(PASSWORD)
    cast.ion.user.save()
    return Desk(cast, maria, patient(cast.sud, "Dan Radu"), record)


@pytest.fixture
def open_desk(window: Callable[..., Watched], base: str, desk: Desk) -> Callable[..., Watched]:
    """Opens a window in which Ion is signed in."""

    def opened(**options: Any) -> Watched:
        watched = window(base, **options)
        page = watched.go("/admin/login/")
        page.fill("input[name=username]", desk.cast.ion.user.email)
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/admin/")
        return watched

    return opened


def quiet(watched: Watched) -> None:
    """Assert that no page complained (a policy that was broken would) or asked another host."""
    assert watched.console == []
    assert watched.outside == []


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_is_accessible(
    open_desk: Callable[..., Watched], desk: Desk, language: str, dark: bool, width: int
) -> None:
    watched = open_desk(language=language, dark=dark, width=width)
    found = {}
    for path in desk.paths():
        watched.go(path)
        found[path] = watched.violations()

    assert {path: problems for path, problems in found.items() if problems} == {}
    quiet(watched)


def test_every_page_fits_a_narrow_window(open_desk: Callable[..., Watched], desk: Desk) -> None:
    watched = open_desk()
    watched.page.set_viewport_size(NARROW)  # type: ignore[arg-type]

    for path in desk.paths():
        watched.go(path)
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], path


class TestThePalette:
    @pytest.mark.parametrize("key", ["Control+k", "Meta+k"])
    def test_leads_to_a_patient_by_keyboard_alone(
        self, open_desk: Callable[..., Watched], desk: Desk, key: str
    ) -> None:
        watched = open_desk(language="en")
        page = watched.go("/admin/hours/")
        page.keyboard.press(key)
        box = page.get_by_role("combobox", name="Find a patient or a page")
        expect(box).to_be_focused()
        page.keyboard.type("tar")

        expect(page.get_by_role("option").first).to_contain_text("Maria Țăran")
        expect(box).to_have_attribute("aria-expanded", "true")
        active = box.get_attribute("aria-activedescendant")
        expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")

        page.wait_for_url(f"**/admin/patients/{desk.shared.pk}/")
        quiet(watched)

    def test_waits_for_what_was_typed_when_enter_comes_at_once(
        self, open_desk: Callable[..., Watched], desk: Desk
    ) -> None:
        page = open_desk(language="en").page
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option").first).to_be_visible()
        page.keyboard.type("tar")
        page.keyboard.press("Enter")

        page.wait_for_url(f"**/admin/patients/{desk.shared.pk}/")

    def test_moves_through_the_options_and_round_the_end(self, open_desk: Callable[..., Watched]) -> None:
        page = open_desk(language="en").page
        page.keyboard.press("Control+k")
        options = page.get_by_role("option")
        expect(options.nth(1)).to_be_visible()
        last = options.count() - 1

        page.keyboard.press("ArrowDown")
        expect(options.nth(1)).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
        expect(options.nth(last)).to_have_attribute("aria-selected", "true")
        expect(page.locator('[role=option][aria-selected="true"]')).to_have_count(1)

    def test_says_how_many_it_found_and_when_there_is_nothing(self, open_desk: Callable[..., Watched]) -> None:
        page = open_desk(language="en").page
        page.keyboard.press("Control+k")
        page.keyboard.type("dan radu")
        expect(page.locator("[data-palette-note]")).to_have_text("1 result")
        page.keyboard.type("zzz")

        expect(page.locator("[data-palette-note]")).to_have_text("Nothing matches.")
        expect(page.get_by_role("option")).to_have_count(0)
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_be_visible()

    def test_gives_the_focus_back(self, open_desk: Callable[..., Watched]) -> None:
        page = open_desk(language="en").page
        button = page.get_by_role("button", name="Find")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open]")).to_be_visible()
        page.keyboard.press("Escape")

        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(button).to_be_focused()

    def test_asks_once_for_what_was_typed_in_one_go(self, open_desk: Callable[..., Watched]) -> None:
        watched = open_desk(language="en")
        page = watched.page
        page.keyboard.press("Control+k")
        expect(page.get_by_role("option").first).to_be_visible()
        before = len([each for each in watched.requests if "/admin/find/" in each])
        page.keyboard.type("maria taran")
        expect(page.get_by_role("option").first).to_contain_text("Maria Țăran")

        after = len([each for each in watched.requests if "/admin/find/" in each])
        assert after - before <= 3

    def test_says_that_the_server_does_not_answer(self, open_desk: Callable[..., Watched]) -> None:
        page = open_desk(language="en").page
        page.route("**/admin/find/**", lambda route: route.fulfill(status=500, body="no"))
        page.keyboard.press("Control+k")

        expect(page.locator("[data-palette-note]")).to_contain_text("did not answer")

    @pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
    def test_is_accessible_while_it_is_open(
        self, open_desk: Callable[..., Watched], language: str, dark: bool, width: int
    ) -> None:
        watched = open_desk(language=language, dark=dark, width=width)
        page = watched.page
        page.locator("[data-palette-open]").click()
        page.keyboard.type("ar")
        expect(page.get_by_role("option").first).to_be_visible()

        assert watched.violations() == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        quiet(watched)

    def test_opens_by_a_visible_button_on_a_telephone(self, open_desk: Callable[..., Watched], desk: Desk) -> None:
        page = open_desk(language="en", width=390).page
        page.get_by_role("button", name="Find").click()
        page.keyboard.type("tar")
        expect(page.get_by_role("option").first).to_contain_text("Maria Țăran")
        page.get_by_role("option").first.click()

        page.wait_for_url(f"**/admin/patients/{desk.shared.pk}/")
