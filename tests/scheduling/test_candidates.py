"""Which patients whoever booked may be: extension 9 of scheduling.md."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.profiles.models import Patient
from apps.profiles.services import consents, patients
from apps.scheduling.models import Appointment
from tests.admin.office import booking, template
from tests.client import Api
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within
from tests.scheduling.world import next_weekday

pytestmark = pytest.mark.django_db

MARIA = {"email": "maria@example.org", "phone": "+40721000111"}


@pytest.fixture
def booked(cast) -> Appointment:
    """Maria Ionescu's booking."""
    return booking(cast.sud, template(cast.sud, cast.sara.specialist), next_weekday(0))


@pytest.fixture
def desk(cast, api) -> Api:
    return api(cast.mara)


def found(desk: Api, booked: Appointment) -> list[tuple[int, str, list[str]]]:
    answer = desk.get(f"/v1/appointments/{booked.pk}/patient-candidates")
    assert answer.status == 200, answer.content
    return [(each["patient_id"], each["name"], each["matched_on"]) for each in answer.data]


def sharing(patient: Patient) -> Patient:
    profiles.consent(patient, "profile_sharing")
    return patient


def test_nobody_is_like_somebody_new(desk: Api, booked: Appointment) -> None:
    assert found(desk, booked) == []


def test_whom_most_of_the_contact_means_comes_first(cast, desk: Api, booked: Appointment) -> None:
    by_name = profiles.patient(cast.sud, "MARÍA IONÉSCU")
    by_phone = sharing(profiles.patient(cast.sud, "Dan Popa", phone=MARIA["phone"]))
    by_all = sharing(profiles.patient(cast.sud, "Maria Ionescu", **MARIA))
    by_login = profiles.patient(cast.sud, "Ana Stan", user=make.user("Ana Stan", email=MARIA["email"]))
    profiles.patient(cast.sud, "Maria Ionescu-Pop")

    assert found(desk, booked) == [
        (by_all.pk, "Maria Ionescu", ["email", "phone", "name"]),
        (by_name.pk, "MARÍA IONÉSCU", ["name"]),
        (by_phone.pk, "Dan Popa", ["phone"]),
        (by_login.pk, "Ana Stan", ["email"]),
    ]


def test_what_is_on_file_counts_while_it_is_shared(cast, desk: Api, booked: Appointment) -> None:
    closed = profiles.patient(cast.sud, "Dan Popa", **MARIA)
    assert found(desk, booked) == []

    record = profiles.consent(closed, "profile_sharing")
    assert found(desk, booked) == [(closed.pk, "Dan Popa", ["email", "phone"])]

    with within(cast.sud):
        consents.withdraw(record, by=SYSTEM)
    assert found(desk, booked) == []


def test_number_and_address_have_to_be_the_same(cast, desk: Api, booked: Appointment) -> None:
    sharing(profiles.patient(cast.sud, "Dan Popa", email="maria@example.org.uk", phone="+407210001110"))
    sharing(profiles.patient(cast.sud, "Dan Popa", email="a.maria@example.org", phone="+400721000111"))

    assert found(desk, booked) == []


def test_other_clinics_and_removed_patients_are_nobody(cast, desk: Api, booked: Appointment) -> None:
    sharing(profiles.patient(cast.nord, "Maria Ionescu", **MARIA))
    removed = sharing(profiles.patient(cast.sud, "Maria Ionescu", **MARIA))
    with within(cast.sud):
        patients.remove(removed, by=SYSTEM)

    assert found(desk, booked) == []


def test_ten_at_most_and_always_as_many_statements(cast, desk: Api, booked: Appointment) -> None:
    def counted() -> tuple[int, Any]:
        with CaptureQueriesContext(connection) as queries:
            answer = found(desk, booked)
        return len(queries), answer

    profiles.patient(cast.sud, "Maria Ionescu")
    few, _ = counted()
    for _ in range(11):
        profiles.patient(cast.sud, "Maria Ionescu")
    both = sharing(profiles.patient(cast.sud, "Maria Ionescu", phone=MARIA["phone"]))

    many, answer = counted()

    assert (len(answer), answer[0]) == (10, (both.pk, "Maria Ionescu", ["phone", "name"]))
    assert many <= few + 1  # those whose number is alike are looked at once more


def test_of_one_who_was_taken_in_nobody_is_asked_any_more(cast, desk: Api, booked: Appointment) -> None:
    told = [{"type": "telerehab_consent", "method": "paper"}]
    assert desk.post(f"/v1/appointments/{booked.pk}/onboard", {"consents": told}).status == 200

    answer = desk.get(f"/v1/appointments/{booked.pk}/patient-candidates")

    assert (answer.status, answer.code) == (409, "invalid_transition")
    assert answer.details == {"from": "upcoming", "to": "upcoming", "allowed": []}
