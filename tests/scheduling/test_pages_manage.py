"""The page of one's own appointment: whom it opens for, what it shows, when it cancels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from apps.scheduling.models import Appointment, Claim
from apps.scheduling.services import appointments, management
from restartix.kernel.tenancy import acting_for
from tests.scheduling.browsing import FILLED, Browser, rows
from tests.scheduling.world import BUILDER, Clinic, next_weekday

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", specialists=2, phone="+40312345678", email="salut@example.org")


class TestTheAppointmentsOwnPage:
    @pytest.fixture
    def address(self, clinic: Clinic) -> str:
        clinic.template(price="180", mode="in_person")
        browser = Browser(clinic)
        form = browser.keep(next_weekday(2))
        return browser.post("t60/details/", **form, **FILLED)["Location"]

    def test_offers_the_calendar_and_the_way_to_cancel(self, clinic: Clinic, address: str) -> None:
        page = unescape(Client().get(address).content.decode())

        assert "/calendar.ics?token=" in page
        assert "https://calendar.google.com/calendar/render?action=TEMPLATE" in page
        assert "https://outlook.live.com/" in page
        assert "/cancel/?token=" in page
        assert "+40 31 234 5678" in page

    def test_opens_with_its_token_only(self, clinic: Clinic, address: str) -> None:
        path, token = address.split("?", maxsplit=1)[0], parse_qs(urlsplit(address).query)["token"][0]

        assert Client().get(path).status_code == 404
        assert Client().get(path, {"token": token[:-1] + "x"}).status_code == 404
        other = Clinic.make()
        assert (
            Client().get(path.replace(clinic.organization.slug, other.organization.slug), {"token": token}).status_code
            == 404
        )

    def test_gives_the_file(self, clinic: Clinic, address: str) -> None:
        answer = Client().get(address.replace("/?", "/calendar.ics?"))

        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
        assert str(rows(clinic, Appointment)[0].uid).encode() in answer.content

    def test_cancels_after_asking(self, clinic: Clinic, address: str) -> None:
        ask = address.replace("/?", "/cancel/?")
        asked = Client().get(ask)
        assert "Cancel this appointment?" in asked.content.decode() or "Anulați" in asked.content.decode()
        assert rows(clinic, Appointment)[0].status == "booked"

        answer = Client().post(ask, {"reason": "Sunt răcită"})

        (off,) = rows(clinic, Appointment)
        assert (off.status, off.cancel_actor, off.cancel_reason) == ("cancelled", "patient", "Sunt răcită")
        assert answer.status_code == 303
        assert not rows(clinic, Claim)
        assert "anulată" in Client(headers={"accept-language": "ro"}).get(answer["Location"]).content.decode()

    def test_does_not_cancel_after_the_cutoff(self, clinic: Clinic, address: str) -> None:
        with acting_for(clinic.organization.pk, actor=BUILDER):
            Appointment.objects.update(cutoff_hours=1000)
        browser = Client(headers={"accept-language": "ro"})

        assert "sunați la clinică" in browser.get(address).content.decode()
        answer = browser.post(address.replace("/?", "/cancel/?"))

        assert answer.status_code == 409
        assert rows(clinic, Appointment)[0].status == "booked"

    def test_does_not_cancel_twice(self, clinic: Clinic, address: str) -> None:
        ask = address.replace("/?", "/cancel/?")
        assert Client().post(ask).status_code == 303

        assert Client().post(ask).status_code == 409

    def test_shows_what_staff_have_done_meanwhile(self, clinic: Clinic, address: str) -> None:
        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.cancel(Appointment.objects.get(), by=BUILDER, reason="Specialistul este bolnav")

        page = Client(headers={"accept-language": "ro"}).get(address).content.decode()

        assert "Programarea este anulată" in page
        assert "bolnav" not in page

    def test_is_forgotten_thirty_days_after_the_end(self, clinic: Clinic, address: str) -> None:
        (made,) = rows(clinic, Appointment)
        token = management.manage_token(made.uid)
        long_ago = datetime.now(UTC) - timedelta(days=31)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            Claim.objects.all().delete()
            Appointment.objects.update(
                status="cancelled",
                cancel_actor="clinic",
                cancelled_at=long_ago,
                started_at=long_ago,
                ended_at=long_ago + timedelta(hours=1),
            )

        assert Client().get(address.split("?", maxsplit=1)[0], {"token": token}).status_code == 404
