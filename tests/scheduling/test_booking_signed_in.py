"""Booking by a patient who is signed in, or by who cares for one: scheduling.md 3.4 (book)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.organizations.models import Fact
from apps.profiles.models import ConsentRecord
from apps.scheduling.models import Appointment, AppointmentTemplate, Claim
from apps.scheduling.services.paperwork import ToAttach
from tests.admin.office import template
from tests.client import Answer, Api
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within
from tests.scheduling.papers import keeping
from tests.scheduling.world import CONTACT, next_weekday, z

pytestmark = pytest.mark.django_db

BOTH = [{"type": "privacy_policy", "policy_version": "7"}, {"type": "telerehab_consent"}]
INTAKE = 101
Book = Callable[..., Answer]


@pytest.fixture
def offered(cast) -> AppointmentTemplate:
    return template(cast.sud, cast.sara.specialist, mode="video")


@pytest.fixture
def book(offered: AppointmentTemplate) -> Book:
    """Holds the next Monday morning and books it."""

    def booking(caller: Api, hour: int = 8, **said: Any) -> Answer:
        wanted = {"appointment_template_id": offered.pk, "start": z(next_weekday(0, hour))}
        held = caller.post("/v1/scheduling/holds", wanted)
        assert held.status == 201, held.content
        body = {"hold_id": held.data["hold_id"], **said}
        return caller.post("/v1/scheduling/book", body, X_Hold_Token=held.data["hold_token"])

    return booking


def only(cast: Any) -> Appointment:
    with within(cast.sud):
        return Appointment.objects.select_related("patient").get()


def records(cast: Any, patient: Any) -> dict[str, ConsentRecord]:
    with within(cast.sud):
        return {record.type: record for record in ConsentRecord.objects.filter(patient=patient, status="active")}


def test_links_the_patient_makes_the_forms_and_wants_a_room(cast, api, book, offered) -> None:
    with keeping({INTAKE: "Intake"}) as binder:
        binder.attach(offered, [ToAttach(INTAKE)], by=SYSTEM)
        answer = book(api(cast.ana), consents=BOTH, notes="My knee")

    assert (answer.status, answer.data["status"]) == (201, "upcoming")
    made = only(cast)
    assert (made.patient_id, made.source, made.room_status) == (cast.ana.patient.pk, "patient", "pending")
    assert (made.contact_name, made.patient_notes) == (None, "My knee")
    assert [(form["appointment_id"], form["form_template_id"]) for form in binder.made] == [(made.pk, INTAKE)]
    with within(cast.sud):
        assert Claim.objects.get().appointment_id == made.pk
        created = Fact.objects.get(name="appointment.created")
    assert (created.payload["status"], created.payload["patient_id"]) == ("upcoming", cast.ana.patient.pk)


def test_what_is_agreed_to_is_on_record_as_of_now(cast, api, book) -> None:
    assert book(api(cast.ana), consents=BOTH).status == 201

    given = records(cast, cast.ana.patient)
    assert set(given) == {"privacy_policy", "telerehab_consent"}
    record = given["privacy_policy"]
    assert (record.policy_version, record.method) == ("7", "electronic")
    assert (record.granted_by_id, record.ip_address) == (cast.ana.user.pk, "127.0.0.1")
    assert only(cast).booking_consents == []


def test_what_was_agreed_to_before_is_enough(cast, api, book) -> None:
    for kind in ("privacy_policy", "telerehab_consent"):
        profiles.consent(cast.ana.patient, kind)

    assert book(api(cast.ana)).data["status"] == "upcoming"


def test_without_what_the_clinic_requires_nothing_happens(cast, api, book) -> None:
    answer = book(api(cast.ana), consents=BOTH[:1])

    assert (answer.status, answer.code) == (409, "consent_required")
    assert answer.details == {"missing": ["telerehab_consent"]}
    assert records(cast, cast.ana.patient) == {}
    with within(cast.sud):
        assert not Appointment.objects.exists()
        assert Claim.objects.get().hold_id is not None


def test_a_caregiver_says_for_whom(cast, api, book) -> None:
    dan = make.user("Dan Pop")
    link = {"email": dan.email, "relation": "child", "permissions": "manage"}
    assert api(cast.ion).post(f"/v1/patients/{cast.ana.patient.pk}/managers", link).status == 201

    assert book(api(dan), consents=BOTH).fields == {"patient_id": ["required: say for whom you book"]}
    assert book(api(dan), 9, consents=BOTH, patient_id=cast.petra.patient.pk).fields == {"patient_id": ["not found"]}
    assert book(api(dan), 10, consents=BOTH, patient_id=cast.ana.patient.pk).data["status"] == "upcoming"

    assert only(cast).patient_id == cast.ana.patient.pk
    assert records(cast, cast.ana.patient)["privacy_policy"].granted_by_id == dan.pk


def test_who_acts_as_the_patient_books_but_agrees_to_nothing(cast, api, book) -> None:
    for kind in ("privacy_policy", "telerehab_consent"):
        profiles.consent(cast.ana.patient, kind)
    path = f"/v1/patients/{cast.ana.patient.pk}/impersonate"
    as_ana = Api(api(cast.ion).post(path, {"reason": "She asked on the phone"}).data["token"])

    refused = book(as_ana, consents=BOTH)
    assert (refused.status, refused.details) == (403, {"reason": "impersonating"})
    assert book(as_ana, 9).data["status"] == "upcoming"


def test_the_same_again_answers_the_same_and_agrees_once(cast, api, offered) -> None:
    ana = api(cast.ana)
    wanted = {"appointment_template_id": offered.pk, "start": z(next_weekday(0))}
    held = ana.post("/v1/scheduling/holds", wanted).data
    body = {"hold_id": held["hold_id"], "consents": BOTH, "contact": CONTACT}

    first, second = (ana.post("/v1/scheduling/book", body, X_Hold_Token=held["hold_token"]) for _ in range(2))

    assert (first.status, second.status) == (201, 200)
    assert first.data == second.data
    with within(cast.sud):
        assert ConsentRecord.objects.filter(patient=cast.ana.patient).count() == 2
    assert only(cast).contact_email == CONTACT["email"]
