"""Reminders: once an appointment and start, so many hours before, of what still stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.core import mail as outbox_of
from django.core.mail import EmailMultiAlternatives

from apps.organizations.models import Fact, Organization
from apps.profiles.models import Patient
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentReminder
from apps.scheduling.services import appointments, reminders
from restartix.kernel import clock
from restartix.kernel.facts import reactions_to
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, acting_for
from tests.scheduling.world import ALWAYS, BUILDER, Clinic, next_weekday

pytestmark = pytest.mark.django_db
START = next_weekday(1, hour=10)
DUE = "internal.appointment.reminder_due"


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(name="Clinica Mobil", weekly=ALWAYS)


@pytest.fixture
def letters() -> list[EmailMultiAlternatives]:
    outbox_of.outbox = []
    return outbox_of.outbox


def patient_of(clinic: Clinic, name: str = "Ana Pop") -> Patient:
    patient = clinic.patient(name)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        patient.person.email = f"{name.split(maxsplit=1)[0].lower()}@example.org"
        patient.person.save()
    return patient


def made(clinic: Clinic, start: datetime = START, **more: Any) -> Appointment:
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return appointments.create(
            patient=more.pop("patient", None) or patient_of(clinic),
            specialist=clinic.specialists[0],
            started_at=start,
            ended_at=start + timedelta(minutes=50),
            by=BUILDER,
            **more,
        )


def reminded(letters: list[Any]) -> list[EmailMultiAlternatives]:
    """Run the task, hand its facts to the reactions, and return the letters that came of it."""
    letters.clear()
    reminders.remind()
    organizations = Organization.objects.values_list("pk", flat=True)
    for organization_id in organizations:
        with acting_for(organization_id, actor=BUILDER):
            for fact in Fact.objects.filter(name=DUE, relayed_at=None):
                for reaction in reactions_to(fact.name):
                    reaction(fact)
            Fact.objects.update(relayed_at=clock.now())
    return list(letters)


def test_comes_so_many_hours_before_and_once(clinic: Clinic, letters: list[Any], time_machine: Any) -> None:
    appointment = made(clinic, title="Kinetoterapie")

    time_machine.move_to((START - timedelta(hours=24, minutes=1)).isoformat())
    assert reminded(letters) == []
    time_machine.move_to((START - timedelta(hours=23, minutes=59)).isoformat())
    (letter,) = reminded(letters)
    assert reminded(letters) == []
    time_machine.move_to((START - timedelta(hours=1)).isoformat())
    assert reminded(letters) == []

    assert letter.to == ["ana@example.org"]
    assert "Kinetoterapie" in letter.body
    assert f"/appointment/{appointment.uid}/?token=" in letter.body
    event = next(iter(icalendar.Calendar.from_ical(letter.attachments[0].get_payload(decode=True)).walk("VEVENT")))
    assert event["UID"] == str(appointment.uid)


def test_says_how_long_it_can_be_cancelled_or_that_it_cannot(
    clinic: Clinic, letters: list[Any], time_machine: Any
) -> None:
    clinic.organization.locale = "en"
    clinic.organization.save()
    patient = patient_of(clinic)
    made(clinic, patient=patient)
    late = START - timedelta(hours=23)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        template = clinic.template(30, cancel_cutoff_hours=1, slug="t30")
    made(clinic, START + timedelta(minutes=50), patient=patient, template=template)

    time_machine.move_to(late.isoformat())
    first, second = sorted(reminded(letters), key=lambda letter: "t30" in letter.body.lower())

    assert "call us" in first.body
    assert "call us" not in second.body


@pytest.mark.parametrize("hours", [0, 2, 48])
def test_follows_the_clinics_setting(clinic: Clinic, letters: list[Any], time_machine: Any, hours: int) -> None:
    clinic.organization.settings = {"appointment_reminder_hours": hours}
    clinic.organization.save()
    made(clinic)

    time_machine.move_to((START - timedelta(hours=hours, minutes=5)).isoformat())
    assert reminded(letters) == []
    time_machine.move_to((START - timedelta(hours=hours) + timedelta(minutes=5)).isoformat())
    assert len(reminded(letters)) == (1 if hours else 0)


def test_a_moved_appointment_is_reminded_of_anew_and_each_start_once(
    clinic: Clinic, letters: list[Any], time_machine: Any
) -> None:
    appointment = made(clinic)
    later = START + timedelta(hours=3)
    time_machine.move_to((START - timedelta(hours=20)).isoformat())
    assert len(reminded(letters)) == 1

    for start, expected in ((later, 1), (START, 0), (later, 0)):
        with acting_for(clinic.organization.pk, actor=BUILDER):
            appointments.reschedule(appointment, started_at=start, by=BUILDER)
        assert len(reminded(letters)) == expected


@pytest.mark.parametrize("status", ["cancelled", "booked", "inprogress", "deleted"])
def test_only_what_is_expected_is_reminded_of(
    clinic: Clinic, letters: list[Any], time_machine: Any, status: str
) -> None:
    appointment = made(clinic)
    time_machine.move_to((START - timedelta(minutes=30)).isoformat())
    with acting_for(clinic.organization.pk, actor=BUILDER):
        if status == "cancelled":
            appointments.cancel(appointment, by=BUILDER, reason="ill")
        elif status == "deleted":
            appointments.remove(appointment, by=BUILDER)
        elif status == "booked":
            Appointment.objects.filter(pk=appointment.pk).update(status="booked", patient=None, contact_name="Ana")
        else:
            Appointment.objects.filter(pk=appointment.pk).update(status=status)

    assert reminded(letters) == []


def test_a_confirmed_one_is_reminded_of(clinic: Clinic, letters: list[Any], time_machine: Any) -> None:
    appointment = made(clinic)
    admin = Actor(kind="user", role=Role.ADMIN, organization_id=clinic.organization.pk)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        appointments.change_status(appointment, to=AppointmentStatus.CONFIRMED, by=admin)
    time_machine.move_to((START - timedelta(hours=2)).isoformat())

    assert len(reminded(letters)) == 1


def test_what_began_is_not_reminded_of(clinic: Clinic, letters: list[Any], time_machine: Any) -> None:
    made(clinic)
    time_machine.move_to((START + timedelta(minutes=1)).isoformat())

    assert reminded(letters) == []


def test_a_move_or_a_cancellation_between_the_note_and_the_letter_stops_it(
    clinic: Clinic, letters: list[Any], time_machine: Any
) -> None:
    patient = patient_of(clinic)
    moved = made(clinic, patient=patient)
    cancelled = made(clinic, START + timedelta(hours=1), patient=patient)
    time_machine.move_to((START - timedelta(hours=2)).isoformat())
    assert reminders.remind() == 2

    with acting_for(clinic.organization.pk, actor=BUILDER):
        appointments.reschedule(moved, started_at=START + timedelta(days=7), by=BUILDER)
        appointments.cancel(cancelled, by=BUILDER, reason="ill")
        letters.clear()
        for fact in Fact.objects.filter(name=DUE):
            for reaction in reactions_to(fact.name):
                reaction(fact)

    assert letters == []


def test_nobody_to_write_to_is_no_error(clinic: Clinic, letters: list[Any], time_machine: Any) -> None:
    made(clinic, patient=clinic.patient("Nobody"))
    time_machine.move_to((START - timedelta(hours=2)).isoformat())

    assert reminded(letters) == []


def test_the_note_and_the_fact_are_one(clinic: Clinic, time_machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made(clinic)
    time_machine.move_to((START - timedelta(hours=2)).isoformat())

    def crash(announcement: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(reminders.facts, "record", crash)
        with pytest.raises(RuntimeError):
            reminders.remind()

    with acting_for(clinic.organization.pk, actor=BUILDER):
        assert not AppointmentReminder.objects.exists()
    assert reminders.remind() == 1


def test_many_are_noted_in_batches(clinic: Clinic, time_machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = patient_of(clinic)
    for number in range(7):
        made(clinic, START + timedelta(hours=number), patient=patient)
    time_machine.move_to((START - timedelta(hours=2)).isoformat())
    monkeypatch.setattr(reminders, "BATCH", 3)

    assert reminders.remind() == 7
    assert reminders.remind() == 0


def test_suspended_clinics_remind_nobody(clinic: Clinic, letters: list[Any], time_machine: Any) -> None:
    made(clinic)
    clinic.organization.status = "suspended"
    clinic.organization.save()
    time_machine.move_to((START - timedelta(hours=2)).isoformat())

    assert reminded(letters) == []
