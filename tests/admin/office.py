"""The back office as a person uses it, and rows to use it on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import unescape
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from apps.organizations.models import Organization, User
from apps.profiles.models import Patient, Specialist
from apps.scheduling.models import Appointment, AppointmentTemplate, Hold, WaitlistEntry
from apps.scheduling.selectors.offers import offering
from apps.scheduling.services import appointments, bookings, holds, templates, waiting
from restartix.kernel.tenancy import Actor
from tests.client import forget_settings
from tests.make.organizations import SYSTEM, within
from tests.make.profiles import patient

DESK = Actor.system("tests")


@dataclass
class Page:
    """An answer with its text as it is read."""

    status: int
    headers: Mapping[str, str]
    html: str

    @property
    def text(self) -> str:
        """The words of the page, without markup."""
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def messages(self) -> list[str]:
        """What the page reports, errors and successes."""
        found = re.findall(r'<p class="message (\w+)">.*?<span>(.*?)</span></p>', self.html, re.DOTALL)
        return [f"{level}: {' '.join(unescape(re.sub('<[^>]+>', '', text)).split())}" for level, text in found]

    def value(self, name: str) -> str:
        """What a control carries."""
        return unescape(re.search(rf'name="{name}"[^>]*? value="([^"]*)"', self.html)[1])  # type: ignore[index]

    def filled(self, **changes: Any) -> dict[str, Any]:
        """What the sheet would post as it stands, with `changes`; None leaves a control out."""
        reader = _Sheet()
        reader.feed(self.html)
        return {name: said for name, said in {**reader.controls, **changes}.items() if said is not None}

    def options(self, name: str) -> list[str]:
        """What a select offers."""
        select = re.search(rf'<select name="{name}".*?</select>', self.html, re.DOTALL)
        return [unescape(text) for text in re.findall(r"<option[^>]*>(.*?)</option>", select[0])] if select else []


class _Sheet(HTMLParser):
    """Collects the controls of the page's main form as a browser would send them."""

    def __init__(self) -> None:
        super().__init__()
        self.controls: dict[str, Any] = {}
        self.inside = False
        self.select = self.textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.inside = given.get("class") == "sheet"
        if not self.inside:
            return
        name = given.get("name") or ""
        if tag == "select":
            self.select = "" if "disabled" in given else name
        elif tag == "textarea":
            self.textarea, self.controls[name] = name, ""
        elif tag == "option" and self.select and ("selected" in given or self.select not in self.controls):
            self.controls[self.select] = given.get("value", "")
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.controls[name] = given.get("value") or ("on" if given.get("type") == "checkbox" else "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "select":
            self.select = ""
        if tag == "textarea":
            self.textarea = ""

    def handle_data(self, data: str) -> None:
        if self.textarea:
            self.controls[self.textarea] += data


class Office:
    """A signed-in person's browser."""

    def __init__(self, user: User | None, clinic: Organization | None = None, language: str = "en") -> None:
        self.client = Client(headers={"accept-language": language})
        if user is not None:
            self.client.force_login(user)
        if clinic is not None:
            self.post("/admin/workplace/", {"workplace": clinic.pk})

    def get(self, path: str, **query: Any) -> Page:
        return self._page(self.client.get(path + (f"?{urlencode(query)}" if query else ""), follow=True))

    def post(self, path: str, data: Mapping[str, Any] | None = None) -> Page:
        return self._page(self.client.post(path, dict(data or {}), follow=True))

    def _page(self, answer: Any) -> Page:
        forget_settings()
        return Page(answer.status_code, dict(answer.headers), answer.content.decode())


def moment(hour: int, minute: int = 0, *, days: int = 1) -> datetime:
    """A UTC hour some days ahead, on the minute."""
    return datetime.now(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)


def template(
    clinic: Organization, *people: Specialist, name: str = "Consultation", **fields: Any
) -> AppointmentTemplate:
    """A public template of 50 minutes and a gap of 10, offered by `people` in order."""
    given = {"duration_minutes": 50, "gap_minutes": 10, "is_public": True, "min_notice_minutes": 0, **fields}
    with within(clinic):
        made = templates.create(by=DESK, name=name, **given)
        offers = [{"specialist_id": each.pk, "priority": place + 1} for place, each in enumerate(people)]
        if offers:
            templates.attach_specialists(made, offers, by=DESK)
    return made


def appointment(
    clinic: Organization,
    person: Specialist,
    offered: AppointmentTemplate,
    start: datetime,
    who: Patient | str = "Ana Pop",
) -> Appointment:
    """An appointment at `start`, with a new patient where only a name is given."""
    visitor = patient(clinic, who) if isinstance(who, str) else who
    with within(clinic):
        return appointments.create(patient=visitor, specialist=person, started_at=start, by=SYSTEM, template=offered)


def hold(clinic: Organization, offered: AppointmentTemplate, start: datetime) -> tuple[Hold, str]:
    """A live hold of a visitor, with its token."""
    with within(clinic):
        now = datetime.now(UTC)
        found = offering(offered.pk, now=now, public_only=True)
        source = holds.HoldSource(ip="203.0.113.7")
        return holds.hold(offering=found, start=start, specialist_id=None, source=source, now=now)


def booking(
    clinic: Organization, offered: AppointmentTemplate, start: datetime, name: str = "Maria Ionescu"
) -> Appointment:
    """An appointment that a visitor booked, so far with a contact only."""
    held, token = hold(clinic, offered, start)
    request = bookings.Request(
        contact=bookings.Contact(name, "maria@example.org", "+40721000111"),
        consents=[bookings.Agreement("privacy_policy")],
    )
    with within(clinic):
        return bookings.book(hold_id=held.hold_id, token=token, request=request, by=Actor.anonymous()).appointment


def waits(
    clinic: Organization, offered: AppointmentTemplate, name: str = "Ioana Radu", *, until: date | None = None
) -> WaitlistEntry:
    """Somebody who waits for a free time, from today on."""
    now = datetime.now(UTC)
    today = clinic.today(now)
    wish = waiting.Wish(
        contact=bookings.Contact(name, f"{name.split(maxsplit=1)[0].lower()}@example.org", "+40721000222"),
        date_from=today,
        date_to=until or today + timedelta(days=30),
        consents=[bookings.Agreement("privacy_policy")],
    )
    with within(clinic):
        return waiting.join(offering(offered.pk, now=now, public_only=True), wish, by=Actor.anonymous())
