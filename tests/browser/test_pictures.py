"""The pictures of the documentation, taken of the demo clinics as they stand: `make pictures` writes them anew.

Every run takes them all, so that a page that is missing or complains fails here and not in the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from playwright.sync_api import Page

from apps.organizations.models import Fact, Organization, WebhookAttempt, WebhookDelivery
from apps.organizations.services import subscriptions
from apps.profiles.models import Patient, Specialist
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.selectors.booking import timeslots
from apps.scheduling.selectors.offers import offering
from restartix.environment import ROOT
from restartix.kernel import clock
from tests.admin.office import hold
from tests.browser.watching import Watched
from tests.make.organizations import SYSTEM, within

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
    service: str
    booked: int
    delivery: int

    def fill(self, path: str) -> str:
        """Write what the path leaves open."""
        return path.format(**asdict(self))


def _open_a_visit(page: Page) -> None:
    page.locator("#board .block.s-upcoming a, #board .block.s-confirmed a").first.focus()
    page.keyboard.press("m")
    page.wait_for_selector("[data-visit-card][open] input[type=date]")


PICTURES = [
    Picture("today", "/admin/today/?date={day}", "#board .block"),
    Picture("today-dark", "/admin/today/?date={day}", "#board .block", dark=True),
    Picture("today-phone", "/admin/today/?date={day}", "#board .block", width=PHONE),
    Picture("visit", "/admin/today/?date={day}", "#board .block", first=_open_a_visit),
    Picture("week", "/admin/week/?date={day}", "#board .block"),
    Picture("my-day", "/admin/my-day/?date={day}", "h1", by=THERAPIST),
    Picture("free-times", "/admin/free/?service={template}", "h1"),
    Picture("why", "/admin/why/?service={template}&specialist={specialist}&start={day}T06:00", "h1"),
    Picture("taking-in", "/admin/appointments/{booked}/take-in/", "h1"),
    Picture("lists", "/admin/scheduling/appointment/", "h1"),
    Picture("patient", "/admin/patients/{patient}/", "h1"),
    Picture("hours", "/admin/hours/{specialist}/", "h1"),
    Picture("webhooks", "/admin/organizations/webhookdelivery/{delivery}/change/", "h1"),
    Picture("booking", "/book/{slug}/{service}/times/?lang=en", "h1", by=None),
]


@pytest.fixture
def demo() -> Demo:
    """The demo clinics, a visitor who is choosing a time, and an event that was delivered at the third attempt."""
    call_command("seed_demo", "--with-debug-off", "--json", stdout=StringIO(), stderr=StringIO())
    clinic = Organization.objects.get(slug="demo-kinetica")
    with within(clinic):
        offered = AppointmentTemplate.objects.offered().order_by("id").first()
        specialist = Specialist.objects.alive().get(user__email=THERAPIST)
        patient = Patient.objects.alive().filter(appointments__isnull=False).order_by("id").first()
        booked = Appointment.objects.alive().filter(status="booked").order_by("id").first()
        assert offered is not None
        assert patient is not None
        assert booked is not None
        day = _working_day(clinic.timezone)
        begins = _free_time(offered, day)
        delivery = _delivered(booked)
    hold(clinic, offered, begins)
    return Demo(
        clinic.slug, day.isoformat(), specialist.pk, patient.pk, offered.pk, offered.slug, booked.pk, delivery.pk
    )


def _delivered(appointment: Appointment) -> WebhookDelivery:
    """Return a delivery of the booking: a timeout, an error page, then a success."""
    listener = subscriptions.create(by=SYSTEM, url="https://hooks.example.org/restartix", events=["*"])
    now = clock.now()
    fact = Fact.objects.create(
        event_id="evt_01M87CHH1HZYS15FABRETZABW9",
        name="appointment.created",
        payload={"appointment_id": appointment.pk, "appointment_uid": str(appointment.uid), "status": "booked"},
        relayed_at=now,
    )
    made = WebhookDelivery.objects.create(
        fact=fact, subscription=listener, status="delivered", attempt_count=3, completed_at=now
    )
    came = [(None, "timeout", None), (503, "http_status", "Back in a minute."), (200, None, '{"received":true}')]
    for number, (code, error, text) in enumerate(came):
        WebhookAttempt.objects.create(
            delivery=made, number=number + 1, kind="scheduled", at=now - timedelta(minutes=10 - 5 * number),
            duration_ms=(15_000, 82, 124)[number], response_code=code, error=error, response_snippet=text,
        )  # fmt: skip
    return made


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
    page.wait_for_url(re.compile(r"/admin/(my-day/)?$"))


def test_the_documentation_shows_these_pictures_and_no_others() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"images/([\w-]+)\.png\)", page.read_text())}

    assert {picture.name for picture in PICTURES} == shown == {path.stem for path in IMAGES.glob("*.png")}
