"""The pictures of the documentation, taken of the demo clinics as they stand: `make pictures` writes them anew.

Every run takes them all, so that a page that is missing or complains fails here and not in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from apps.organizations.models import Organization
from apps.profiles.models import Patient, Specialist
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.booking import timeslots
from apps.scheduling.selectors.offers import offering
from restartix.environment import ROOT
from restartix.kernel import clock
from tests.admin.office import hold
from tests.browser.watching import Watched
from tests.make.organizations import within

pytestmark = [pytest.mark.browser, pytest.mark.server, pytest.mark.usefixtures("committed_db")]

IMAGES = ROOT / "docs" / "images"
PASSWORD = "demo-restartix"
DESK, THERAPIST = "irina.dumitrescu@kinetica.example", "elena.vasilescu@kinetica.example"
WIDE, PHONE = 1366, 390


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: who looks at what, and what has to be seen before it is taken."""

    name: str
    path: str
    shows: str
    by: str | None = DESK
    width: int = WIDE
    dark: bool = False
    #: What is done with the page first.
    first: Callable[[Page], None] | None = None


@dataclass(frozen=True, slots=True)
class Demo:
    """Where things are in the demo clinic."""

    slug: str
    day: str
    specialist: int
    patient: int
    template: int

    def fill(self, path: str) -> str:
        """Write what the path leaves open."""
        return path.format(
            slug=self.slug, day=self.day, specialist=self.specialist, patient=self.patient, template=self.template
        )


PICTURES = [
    Picture("today", "/admin/?date={day}", "#board .block"),
    Picture("today-dark", "/admin/?date={day}", "#board .block", dark=True),
    Picture("today-phone", "/admin/?date={day}", "#board .block", width=PHONE),
    Picture("lists", "/admin/scheduling/appointment/", "#result_list"),
    Picture("patient", "/admin/profiles/patient/{patient}/change/", "h1"),
    Picture("hours", "/admin/hours/{specialist}/", "h1"),
    Picture("booking", "/book/{slug}/?lang=en", "h1", by=None),
]


@pytest.fixture
def demo() -> Demo:
    """The demo clinics, and a visitor who is choosing a time."""
    call_command("seed_demo", "--with-debug-off", "--json", stdout=StringIO(), stderr=StringIO())
    clinic = Organization.objects.get(slug="demo-kinetica")
    with within(clinic):
        offered = AppointmentTemplate.objects.offered().order_by("id").first()
        specialist = Specialist.objects.alive().get(user__email=THERAPIST)
        patient = Patient.objects.alive().filter(appointments__isnull=False).order_by("id").first()
        assert offered is not None
        assert patient is not None
        day = _working_day(clinic.timezone)
        begins = _free_time(offered, day)
    hold(clinic, offered, begins)
    return Demo(clinic.slug, day.isoformat(), specialist.pk, patient.pk, offered.pk)


def _working_day(timezone: str) -> date:
    """Return tomorrow, or Monday: a whole day with no now-line, so that pictures of two hours look alike."""
    day = datetime.now(ZoneInfo(timezone)).date() + timedelta(days=1)
    return day if day.weekday() < 5 else day + timedelta(days=7 - day.weekday())


def _free_time(template: AppointmentTemplate, day: date) -> datetime:
    """Return the first time of the day that is still free."""
    now = clock.now()
    offered = offering(template.pk, now=now, public_only=True)
    found = timeslots(offered, first=day, last=day, timezone=offered.timezone, specialist_id=None, now=now)
    return datetime.fromtimestamp(found.slots[0][0], UTC)


def test_every_picture_can_be_taken(
    window: Callable[..., Watched], base: str, demo: Demo, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = IMAGES if pytestconfig.getoption("--pictures") else tmp_path

    found = {picture.name: _take(picture, window, base, demo, folder) for picture in PICTURES}

    assert {name: problems for name, problems in found.items() if problems} == {}


def _take(picture: Picture, window: Callable[..., Watched], base: str, demo: Demo, folder: Path) -> list[str]:
    """Take the picture and return what was wrong with the page."""
    watched = window(base, width=picture.width, dark=picture.dark, language="en")
    page = watched.page
    if picture.by is not None:
        _sign_in(watched, picture.by)
    watched.go(demo.fill(picture.path))
    page.wait_for_selector(picture.shows)
    if picture.first is not None:
        picture.first(page)
    page.screenshot(path=folder / f"{picture.name}.png", animations="disabled")
    wide = page.evaluate("document.documentElement.scrollWidth") > picture.width
    watched.close()
    return [*watched.console, *watched.outside, *(["wider than the window"] if wide else [])]


def _sign_in(watched: Watched, email: str) -> None:
    page = watched.go("/admin/login/")
    page.fill("#id_username", email)
    page.fill("#id_password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def test_every_picture_of_the_documentation_is_one_of_these() -> None:
    assert {path.stem for path in IMAGES.glob("*.png")} == {picture.name for picture in PICTURES}
