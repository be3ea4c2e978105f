"""Letters about appointments: to whom, in which words, with which file, and never twice."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail as outbox_of
from django.core.mail import EmailMultiAlternatives

from apps.organizations.models import Fact, Organization
from apps.organizations.services import relay
from apps.scheduling.models import Appointment, Claim
from apps.scheduling.services import appointments, mail
from restartix.kernel.facts import reactions_to
from restartix.kernel.tenancy import acting_for
from tests.scheduling.browsing import FILLED, Browser
from tests.scheduling.world import BUILDER, Clinic, next_weekday

pytestmark = pytest.mark.django_db

ADDRESS = {"line1": "Str. Lipscani 12", "city": "București", "postal_code": "030036", "country": "RO"}


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", email="salut@example.org", phone="+40312345678", address=ADDRESS)


@pytest.fixture
def letters() -> list[EmailMultiAlternatives]:
    outbox_of.outbox = []
    return outbox_of.outbox


def booked(clinic: Clinic, *, mode: str = "in_person", **more: str) -> Appointment:
    clinic.template(
        50, gap_minutes=10, slug="t60", name="Prima consultație", price="180", mode=mode, location="Cabinetul 3"
    )
    browser = Browser(clinic)
    form = browser.keep(next_weekday(2), **{key: more[key] for key in ("lang",) if key in more})
    assert browser.post("t60/details/", **{**form, **FILLED, **more}).status_code == 303
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return Appointment.objects.get()


def relayed(letters: list[Any]) -> EmailMultiAlternatives:
    """Run the relay and return the one letter that came of it."""
    before = len(letters)
    relay.run()
    assert len(letters) == before + 1
    return letters[-1]


def html_of(letter: EmailMultiAlternatives) -> str:
    return str(letter.alternatives[0][0])


def event_of(letter: EmailMultiAlternatives) -> Any:
    part = letter.attachments[0]
    content = part.get_payload(decode=True)
    assert part.get_content_type() == "text/calendar"
    assert part.get_param("method") == "PUBLISH"
    assert content.count(b"\r\n") == content.count(b"\n")
    return next(iter(icalendar.Calendar.from_ical(content).walk("VEVENT")))


class TestTheConfirmation:
    def test_says_when_where_with_whom_and_how_to_cancel(self, clinic: Clinic, letters: list[Any]) -> None:
        made = booked(clinic)

        letter = relayed(letters)

        assert letter.to == ["Maria@example.org"]
        assert letter.reply_to == ["salut@example.org"]
        assert letter.from_email.startswith("Clinica Mobil <")
        assert re.fullmatch(r"Programarea la Clinica Mobil: mie\., \d+ \w+\., \d\d:00", letter.subject)
        for text in (letter.body, html_of(letter)):
            assert "Bună ziua, Maria Ionescu" in text
            assert "Prima consultație · Sara 0" in text
            assert "La clinică: Cabinetul 3 · Str. Lipscani 12, 030036 București" in text
            assert "180 lei" in text
            assert f"/appointment/{made.uid}/?token=" in text
            assert "+40 31 234 5678" in text

    def test_carries_the_appointment_as_a_file(self, clinic: Clinic, letters: list[Any]) -> None:
        made = booked(clinic)

        event = event_of(relayed(letters))

        assert event["UID"] == str(made.uid)
        assert event["SEQUENCE"] == 0
        assert event["STATUS"] == "TENTATIVE"
        assert event["DTSTART"].dt == made.started_at

    def test_opens_the_appointments_page(self, clinic: Clinic, letters: list[Any], client: Any) -> None:
        booked(clinic)
        url = re.search(r"https?://\S+", relayed(letters).body)
        assert url is not None

        answer = client.get(url[0].split("://", 1)[1].partition("/")[1] + url[0].split("://", 1)[1].partition("/")[2])

        assert answer.status_code == 200

    def test_speaks_the_language_of_the_booking_and_shows_both_clocks(self, clinic: Clinic, letters: list[Any]) -> None:
        made = booked(clinic, mode="video", lang="en", zone="Europe/Berlin")

        letter = relayed(letters)

        local = made.started_at + timedelta(hours=2 if made.started_at.month in (11, 12, 1, 2, 3) else 3)
        assert letter.subject.startswith("Your appointment at Clinica Mobil: Wed ")
        assert f"Time of Berlin; at the clinic it is {local:%H:%M} Bucharest." in letter.body
        assert letter.extra_headers["Content-Language"] == "en"
        assert "lang=en" in letter.body

    def test_of_a_visit_goes_by_the_clinics_clock_wherever_it_was_booked(
        self, clinic: Clinic, letters: list[Any]
    ) -> None:
        made = booked(clinic, zone="Europe/Berlin")

        assert made.timezone == "Europe/Bucharest"
        assert "Ora din" not in relayed(letters).body

    def test_is_sent_once_however_often_the_fact_is_heard(self, clinic: Clinic, letters: list[Any]) -> None:
        booked(clinic)
        first = relayed(letters)

        with acting_for(clinic.organization.pk, actor=BUILDER):
            fact = Fact.objects.get(name="appointment.created")
            for reaction in reactions_to(fact.name):
                reaction(fact)

        assert len(letters) == 1
        assert first.extra_headers["Message-ID"].startswith(f"<{fact.event_id}@")

    def test_is_tried_again_after_a_failure(self, clinic: Clinic, letters: list[Any], monkeypatch: Any) -> None:
        booked(clinic)
        monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", _refuse)
        relay.run()
        with acting_for(clinic.organization.pk, actor=BUILDER):
            waiting = Fact.objects.get(name="appointment.created")
            assert (waiting.relayed_at, waiting.failures) == (None, 1)
            Fact.objects.update(not_before=datetime.now(UTC) - timedelta(seconds=1))
        monkeypatch.undo()

        relayed(letters)

    def test_escapes_what_people_type(self, clinic: Clinic, letters: list[Any]) -> None:
        booked(clinic, name="<b>Ana</b> & Co")

        letter = relayed(letters)

        assert "&lt;b&gt;Ana&lt;/b&gt; &amp; Co" in html_of(letter)
        assert "<b>Ana</b> & Co" in letter.body

    def test_cannot_be_given_headers_by_a_name(self, clinic: Clinic, letters: list[Any]) -> None:
        Organization.objects.update(name="Clinica\r\nBcc: all@example.org")
        booked(clinic)

        letter = relayed(letters)

        assert letter.recipients() == ["Maria@example.org"]
        assert "\n" not in letter.subject + letter.from_email
        letter.message()

    def test_is_not_sent_of_what_was_cancelled_meanwhile(self, clinic: Clinic, letters: list[Any]) -> None:
        made = booked(clinic)
        cancel(clinic, made)

        relay.run()

        assert [letter.subject.endswith("este anulată") for letter in letters] == [True]

    def test_is_not_sent_of_what_is_over(self, clinic: Clinic, letters: list[Any]) -> None:
        booked(clinic)
        past = datetime.now(UTC) - timedelta(hours=2)
        with acting_for(clinic.organization.pk, actor=BUILDER):
            Claim.objects.update(starts_at=past, ends_at=past + timedelta(hours=1))
            Appointment.objects.update(started_at=past, ended_at=past + timedelta(hours=1))

        relay.run()

        assert not letters


def _refuse(*_: Any) -> int:
    raise ConnectionRefusedError("the mail server is away")


def cancel(clinic: Clinic, made: Appointment) -> None:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        appointments.cancel(made, by=BUILDER, reason="Specialistul este bolnav")


def test_a_cancellation_takes_the_entry_out_of_the_calendar(clinic: Clinic, letters: list[Any]) -> None:
    made = booked(clinic)
    relayed(letters)
    cancel(clinic, made)

    letter = relayed(letters)

    assert re.fullmatch(r"Programarea din mie\., .* este anulată", letter.subject)
    assert f"/book/{clinic.organization.slug}/" in letter.body
    assert "bolnav" not in letter.body + html_of(letter)
    event = event_of(letter)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)


def test_a_move_carries_a_higher_sequence(clinic: Clinic, letters: list[Any]) -> None:
    made = booked(clinic)
    relayed(letters)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        appointments.reschedule(made, started_at=made.started_at + timedelta(hours=1), by=BUILDER)

    letter = relayed(letters)

    assert "a fost mutată" in letter.body
    event = event_of(letter)
    assert event["SEQUENCE"] == 1
    assert event["DTSTART"].dt == made.started_at + timedelta(hours=1)


class TestTheRecipient:
    def test_is_the_patients_account_then_the_file_then_the_contact(self, clinic: Clinic) -> None:
        made = booked(clinic)
        patient = clinic.patient()
        with acting_for(clinic.organization.pk, actor=BUILDER):
            made.patient = patient
            assert mail.recipient_of(made) == "Maria@example.org"
            patient.person.email = "acasa@example.org"
            assert mail.recipient_of(made) == "acasa@example.org"

    def test_may_be_nobody(self, clinic: Clinic) -> None:
        made = Appointment(organization=clinic.organization, contact_email=None, patient=None)

        assert mail.recipient_of(made) is None
