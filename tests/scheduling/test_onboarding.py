"""Taking in whoever booked: scenario 14 of scheduling.md, and what lies around it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from apps.organizations.models import Fact, Membership, User
from apps.profiles.models import ConsentRecord, Patient, PatientPerson
from apps.profiles.services import consents
from apps.scheduling.models import Appointment
from apps.scheduling.services.paperwork import ToAttach
from restartix.kernel import tokens
from restartix.kernel.errors import Conflict
from tests.admin.office import booking, template
from tests.client import Answer, Api
from tests.make import organizations as make
from tests.make import profiles
from tests.make.organizations import SYSTEM, within
from tests.organizations.provider import SECRET_KEY, Provider, account
from tests.scheduling.papers import Binder, keeping
from tests.scheduling.world import next_weekday

pytestmark = pytest.mark.django_db

#: What `booking` leaves as the contact.
MARIA = "maria@example.org"
THREE = {"id", "user_id", "name"}
TOLD = [{"type": "telerehab_consent", "method": "paper"}]
INTAKE, PAIN = 101, 102


@pytest.fixture
def clerk(settings) -> Iterator[Provider]:
    """A server that answers as the identity provider does."""
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
    settings.DEVELOPMENT_ISSUER = False
    tokens.verifier.cache_clear()
    yield provider
    tokens.verifier.cache_clear()
    provider.close()


@pytest.fixture
def booked(cast) -> Appointment:
    """Maria's booking with Sara, next Monday."""
    offered = template(cast.sud, cast.sara.specialist, mode="video")
    return booking(cast.sud, offered, next_weekday(0))


@pytest.fixture
def desk(cast, api) -> Api:
    return api(cast.mara)


def onboard(api: Api, booked: Appointment, **said: Any) -> Answer:
    return api.post(f"/v1/appointments/{booked.pk}/onboard", {"consents": TOLD, **said})


def again(clinic: Any, booked: Appointment) -> Appointment:
    with within(clinic):
        return Appointment.objects.get(pk=booked.pk)


def rows(clinic: Any) -> list[int]:
    """How many rows of everything that taking somebody in makes there are."""
    with within(clinic):
        counted = (Patient, Membership, ConsentRecord, PatientPerson, Fact)
        return [User.objects.count(), *(model.objects.count() for model in counted)]


def facts(clinic: Any, name: str) -> list[dict[str, Any]]:
    with within(clinic):
        return [fact.payload for fact in Fact.objects.filter(name=name).order_by("pk")]


class TestSomebodyNew:
    def test_becomes_a_patient_with_an_account_forms_and_consents(self, cast, desk, booked) -> None:
        with keeping({INTAKE: "Intake", PAIN: "Pain diary"}) as binder:
            _attach(binder, booked, INTAKE, PAIN)
            answer = onboard(desk, booked)

        assert answer.status == 200, answer.content
        assert (answer.data["status"], answer.data["patient"]["name"]) == ("upcoming", "Maria Ionescu")
        assert answer.data["videocall"]["status"] == "pending"
        assert [form["form_template_id"] for form in answer.data["forms"]] == [INTAKE, PAIN]
        user = User.objects.get(email=MARIA)
        assert answer.data["patient"]["user_id"] == user.pk
        with within(cast.sud):
            patient = Patient.objects.select_related("person").get(pk=answer.data["patient_id"])
            assert (patient.person.email, patient.person.phone) == (MARIA, "+40721000111")
            assert Membership.objects.get(user=user).role == "patient"
            records = ConsentRecord.objects.filter(patient=patient).order_by("type")
            assert [(each.type, each.method, each.granted_by_id) for each in records] == [
                ("privacy_policy", "electronic", None),
                ("telerehab_consent", "paper", cast.mara.user.pk),
            ]
            assert records[0].granted_at < booked.created_at + timedelta(seconds=5)
            assert (records[0].ip_address, records[0].user_agent) == (None, None)
        onboarded = facts(cast.sud, "patient.onboarded")
        assert onboarded == [{"patient_id": cast.ana.patient.pk}, {"patient_id": patient.pk}]
        updated = facts(cast.sud, "appointment.updated")
        assert [(each["status"], each["patient_id"]) for each in updated] == [("upcoming", patient.pk)]

    def test_is_in_the_history(self, cast, desk, booked) -> None:
        onboard(desk, booked)

        shown = desk.get(f"/v1/appointments/{booked.pk}?include=status_history").data
        moves = [(move["from"], move["to"], move["by"] and move["by"]["id"]) for move in shown["status_history"]]
        assert moves == [(None, "booked", None), ("booked", "upcoming", cast.mara.user.pk)]

    def test_needs_no_account(self, cast, desk, booked) -> None:
        answer = onboard(desk, booked, create_account=False)

        assert answer.data["patient"]["user_id"] is None
        assert not User.objects.filter(email=MARIA).exists()

    def test_may_be_called_otherwise_than_the_booking_says(self, cast, desk, booked) -> None:
        contact = {"name": "Maria Popescu", "email": "mp@example.org"}

        answer = onboard(desk, booked, contact=contact)

        assert answer.data["patient"]["name"] == "Maria Popescu"
        assert answer.data["contact"] == {**contact, "phone": "+40721000111"}
        assert User.objects.filter(email="mp@example.org").exists()
        assert not User.objects.filter(email=MARIA).exists()

    def test_agrees_to_what_the_clinic_requires_or_nothing_is_made(self, cast, desk, booked) -> None:
        before = rows(cast.sud)

        answer = onboard(desk, booked, consents=[])

        assert (answer.status, answer.code) == (409, "consent_required")
        assert answer.details == {"missing": ["telerehab_consent"]}
        assert rows(cast.sud) == before
        assert again(cast.sud, booked).status == "booked"

    def test_is_taken_in_once(self, cast, desk, booked) -> None:
        onboard(desk, booked)

        answer = onboard(desk, booked)

        assert (answer.status, answer.code) == (409, "invalid_transition")
        assert answer.details == {"from": "upcoming", "to": "upcoming", "allowed": []}
        assert len(facts(cast.sud, "patient.onboarded")) == 2

    def test_gets_the_same_answer_again_under_the_same_key(self, cast, desk, booked) -> None:
        path = f"/v1/appointments/{booked.pk}/onboard"

        first, second = (desk.post(path, {"consents": TOLD}, Idempotency_Key="k-1") for _ in range(2))

        assert (first.status, second.status, second.headers["Idempotency-Replayed"]) == (200, 200, "true")
        assert first.data == second.data


def _attach(binder: Binder, booked: Appointment, *form_template_ids: int) -> None:
    binder.attach(booked.appointment_template, [ToAttach(each) for each in form_template_ids], by=SYSTEM)


class TestSomebodyKnown:
    def test_here_by_the_e_mail_is_asked_about_first(self, cast, desk) -> None:
        offered = template(cast.sud, cast.sara.specialist)
        booked = booking(cast.sud, offered, next_weekday(0))
        own = {"email": cast.ana.user.email.upper()}

        answer = onboard(desk, booked, contact=own)

        assert (answer.status, answer.code) == (409, "patient_exists")
        assert answer.details == {"patient_id": cast.ana.patient.pk}
        assert again(cast.sud, booked).contact_email == MARIA
        confirmed = onboard(desk, booked, contact=own, patient_id=cast.ana.patient.pk)
        assert (confirmed.status, confirmed.data["patient_id"]) == (200, cast.ana.patient.pk)
        assert len(facts(cast.sud, "patient.onboarded")) == 1  # when the cast came together
        with within(cast.sud):
            types = ConsentRecord.objects.filter(patient=cast.ana.patient).values_list("type", flat=True)
            assert set(types) == {"privacy_policy", "telerehab_consent"}

    def test_elsewhere_is_linked_behind_the_gate(self, cast, desk, booked) -> None:
        answer = onboard(desk, booked, contact={"email": cast.petra.user.email})

        assert answer.data["patient"]["name"] == "Petra Ilie"
        shown = desk.get(f"/v1/patients/{answer.data['patient_id']}").data
        assert set(shown["person"]) == THREE
        assert shown["patient_person_id"] == cast.petra.patient.person_id
        with within(cast.nord):
            assert PatientPerson.objects.get(pk=cast.petra.patient.person_id).phone is None
        with within(cast.sud):
            assert Membership.objects.get(user=cast.petra.user).role == "patient"

    def test_as_a_login_without_a_person_gets_one(self, cast, desk, booked) -> None:
        user = make.user("Radu Pop")

        answer = onboard(desk, booked, contact={"email": user.email}, create_account=False)

        assert answer.data["patient"] == {
            "id": answer.data["patient_id"],
            "name": "Maria Ionescu",
            "user_id": user.pk,
        }

    def test_as_a_colleague_stays_one(self, cast, desk, booked) -> None:
        answer = onboard(desk, booked, contact={"email": cast.ion.user.email})

        assert answer.data["patient"]["user_id"] == cast.ion.user.pk
        with within(cast.sud):
            assert Membership.objects.get(user=cast.ion.user).role == "admin"

    def test_and_removed_comes_back_with_their_history(self, cast, api, desk, booked) -> None:
        assert api(cast.ion).delete(f"/v1/patients/{cast.ana.patient.pk}").status == 204

        answer = onboard(desk, booked, contact={"email": cast.ana.user.email})

        assert answer.data["patient_id"] == cast.ana.patient.pk

    def test_whose_consents_are_newer_than_the_booking_keeps_them(self, cast, desk, booked) -> None:
        with within(cast.sud):
            kept = consents.grant(
                patient=cast.ana.patient, type="privacy_policy", method="paper", policy_version="9", by=SYSTEM
            ).record

        assert onboard(desk, booked, patient_id=cast.ana.patient.pk).status == 200

        with within(cast.sud):
            record = ConsentRecord.objects.get(patient=cast.ana.patient, type="privacy_policy", status="active")
            assert (record.pk, record.policy_version) == (kept.pk, "9")

    def test_who_took_a_consent_back_since_has_not_given_it(self, cast, desk, booked) -> None:
        record = profiles.consent(cast.ana.patient, "privacy_policy")
        with within(cast.sud):
            consents.withdraw(record, by=SYSTEM)

        answer = onboard(desk, booked, patient_id=cast.ana.patient.pk)

        assert answer.details == {"missing": ["privacy_policy"]}

    def test_by_number_has_to_be_of_this_clinic(self, cast, desk, booked) -> None:
        for key in (cast.petra.patient.pk, 2**60):
            assert onboard(desk, booked, patient_id=key).fields == {"patient_id": ["not found"]}


class TestWho:
    def test_the_assigned_specialist_the_desk_and_admins(self, cast, api, booked) -> None:
        for person in (cast.ion, cast.sara):
            answer = onboard(api(person), booked, consents=[])
            assert answer.code == "consent_required"  # as far as the rules of consents

    def test_not_another_specialist_nor_a_patient(self, cast, api, booked) -> None:
        tom = make.user("Tom Vasile")
        make.member(cast.sud, tom, "specialist")
        for person, status in ((tom, 404), (cast.ana, 404)):
            assert onboard(api(person), booked).status == status
            assert api(person).get(f"/v1/appointments/{booked.pk}/patient-candidates").status == status

    def test_the_body_is_read_strictly(self, cast, desk, booked) -> None:
        for said, field in (
            ({"patient": 1}, "patient"),
            ({"create_account": "yes"}, "create_account"),
            ({"contact": {"phone": "12"}}, "contact.phone"),
            ({"contact": {"email": None}}, "contact.email"),
            ({"consents": [{"type": "telerehab_consent", "method": "electronic"}]}, "consents[0].method"),
            ({"consents": [{"type": "soul", "method": "paper"}]}, "consents[0].type"),
            ({"consents": [{**TOLD[0], "granted_at": "2026-01-01T00:00:00Z"}]}, "consents[0].granted_at"),
        ):
            assert list(onboard(desk, booked, **said).fields) == [field]

    def test_an_empty_body_is_enough_where_nothing_more_is_required(self, cast, desk, booked) -> None:
        cast.sud.settings = {**cast.sud.settings, "required_consents": ["privacy_policy"]}
        cast.sud.save()

        assert desk.post(f"/v1/appointments/{booked.pk}/onboard", {}).status == 200


class TestAtTheProvider:
    """With the identity provider itself rather than what stands in for it in development."""

    @pytest.fixture
    def mara(self, cast, clerk) -> Api:
        api = Api(clerk.token(cast.mara.user.clerk_user_id))
        assert api.get("/v1/patients").status == 200  # the provider's keys are known from now on
        clerk.calls.clear()
        return api

    def test_the_account_is_made(self, cast, clerk, mara, booked) -> None:
        answer = onboard(mara, booked)

        assert answer.status == 200, answer.content
        assert [(method, path) for method, path, _ in clerk.calls] == [("POST", "/users")]
        user = User.objects.get(email=MARIA)
        assert (user.clerk_user_id, answer.data["patient"]["user_id"]) == (clerk.accounts[0]["id"], user.pk)
        assert "forms" in answer.data

    def test_while_it_is_down_nothing_happens(self, cast, clerk, mara, booked) -> None:
        before = rows(cast.sud)
        clerk.failing = 500

        answer = onboard(mara, booked)

        assert (answer.status, answer.code) == (503, "unavailable")
        assert "Retry-After" in answer.headers
        assert rows(cast.sud) == before
        assert again(cast.sud, booked).status == "booked"
        clerk.failing = 0
        assert onboard(mara, booked).status == 200

    @pytest.mark.parametrize(("problem", "status"), [(Conflict("No paper."), 409), (ValueError(), 500)])
    def test_the_account_goes_again_with_what_it_was_for(self, cast, clerk, mara, booked, problem, status) -> None:
        before = rows(cast.sud)

        with keeping({INTAKE: "Intake"}) as binder:
            binder.make_missing = Mock(side_effect=problem)
            answer = onboard(mara, booked)

        assert answer.status == status
        assert [method for method, _, _ in clerk.calls] == ["POST", "DELETE"]
        assert clerk.accounts == []
        assert rows(cast.sud) == before
        assert again(cast.sud, booked).status == "booked"

    def test_an_account_that_was_there_before_stays(self, cast, clerk, mara, booked) -> None:
        clerk.accounts = [account("user_there", MARIA)]

        with keeping({INTAKE: "Intake"}) as binder:
            binder.make_missing = Mock(side_effect=Conflict())
            assert onboard(mara, booked).status == 409

        assert [each["id"] for each in clerk.accounts] == ["user_there"]

    def test_a_provider_that_goes_down_in_between_does_not_hide_the_reason(self, cast, clerk, mara, booked) -> None:
        def stop(*args: Any, **kwargs: Any) -> None:
            clerk.failing = 500
            raise Conflict("No paper.")

        with keeping({INTAKE: "Intake"}) as binder:
            binder.make_missing = stop
            answer = onboard(mara, booked)

        assert (answer.status, answer.error["message"]) == (409, "No paper.")
        clerk.failing = 0
        assert onboard(mara, booked).status == 200  # and links the account that stayed

    def test_the_same_key_asks_once(self, cast, clerk, mara, booked) -> None:
        path = f"/v1/appointments/{booked.pk}/onboard"

        first, second = (mara.post(path, {"consents": TOLD}, Idempotency_Key="k-1") for _ in range(2))

        assert (first.status, second.status, second.data) == (200, 200, first.data)
        assert len(clerk.calls) == 1

    def test_is_not_asked_for_what_is_refused_anyway(self, cast, clerk, mara, booked) -> None:
        assert onboard(mara, booked, consents=[]).code == "consent_required"
        assert onboard(mara, booked, patient_id=2**60).status == 422
        assert onboard(mara, booked, contact={"email": cast.ana.user.email}).code == "patient_exists"
        assert onboard(mara, booked, patient_id=cast.ana.patient.pk).status == 200
        assert onboard(mara, booked).code == "invalid_transition"
        assert clerk.calls == []

    def test_gives_the_account_that_is_there(self, cast, clerk, mara, booked) -> None:
        clerk.accounts = [account("user_there", MARIA, "Maria I")]

        answer = onboard(mara, booked)

        assert answer.status == 200
        assert User.objects.get(email=MARIA).clerk_user_id == "user_there"

    def test_does_not_give_an_account_that_has_not_proven_the_e_mail(self, cast, clerk, mara, booked) -> None:
        clerk.accounts = [account("user_thief", MARIA, verified=False)]

        answer = onboard(mara, booked)

        assert (answer.status, answer.code) == (409, "conflict")
        assert again(cast.sud, booked).status == "booked"
