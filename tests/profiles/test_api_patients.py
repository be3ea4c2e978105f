"""Patients over the API: the gate, who may do what, registering, removal and return."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.organizations.models import AuditEntry, Fact, Membership, User
from apps.profiles.models import Patient, PatientPerson, PatientPersonManager
from apps.profiles.services import consents
from apps.scheduling.services import appointments
from restartix.kernel import clock, tokens
from restartix.kernel.tenancy import Actor, acting_for
from tests.client import Api
from tests.make import organizations as make
from tests.make import profiles
from tests.organizations.provider import SECRET_KEY, Provider

PATH = "/v1/patients"
THREE = {"id", "user_id", "name"}
WHOLE = THREE | {
    "email", "date_of_birth", "sex", "phone", "occupation", "residence", "blood_type", "allergies",
    "chronic_conditions", "emergency_contact_name", "emergency_contact_phone", "insurance_entries", "created_at",
    "updated_at",
}  # fmt: skip
KEYS = {
    "id", "organization_id", "patient_person_id", "person", "profile_shared", "consumer_id", "has_account",
    "telemetry_level", "created_at", "updated_at",
}  # fmt: skip
MARIA = {"name": "Maria Ionescu", "phone": "+40721000111", "date_of_birth": "1961-04-02"}


def one(person):
    return f"{PATH}/{getattr(person, 'patient', person).pk}"


def names(answer):
    return [each["person"]["name"] for each in answer.data]


def share(patient):
    return profiles.consent(patient, "profile_sharing")


def caregiver(cast, patient, name="Radu Pop", permissions="view", **days):
    """Somebody who cares for the patient; a link by the clinic's admin."""
    user = make.user(name)
    first = cast.sud.today(clock.now()) - timedelta(days=30)
    make.member(cast.sud, user, "patient")
    with make.within(cast.sud):
        PatientPersonManager.objects.create(
            patient=patient,
            user=user,
            relation="child",
            permissions=permissions,
            created_by=cast.ion.user,
            **{"valid_from": first, **days},
        )
    return user


def visit(patient, specialist, *, days=3, by=make.SYSTEM):
    """An appointment of an hour."""
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
    with make.within(patient.organization):
        return appointments.create(
            patient=patient, specialist=specialist, started_at=start, ended_at=start + timedelta(hours=1), by=by
        )


class TestTheGate:
    """Scenario 1."""

    def test_is_closed_to_all_staff_everywhere_until_the_person_shares(self, cast, api):
        for staff in (cast.ion, cast.sara, cast.mara):
            for path in (one(cast.ana), f"{one(cast.ana)}?include=user,consents,managers"):
                assert set(api(staff).get(path).data["person"]) == THREE
            for path in (PATH, f"{PATH}?include=user,consents"):
                assert set(api(staff).get(path).data[0]["person"]) == THREE
        assert set(api(cast.root, cast.sud).get(one(cast.ana)).data["person"]) == THREE
        assert set(api(cast.root).get(one(cast.ana)).data["person"]) == THREE
        assert set(api(cast.ana).get(one(cast.ana)).data["person"]) == WHOLE

    def test_opens_and_closes_with_the_consent_at_one_clinic_alone(self, cast, api):
        with make.within(cast.nord):
            there = Patient(person=cast.ana.patient.person)
            there.save()
        given = api(cast.ana).post(f"{one(cast.ana)}/consents", {"type": "profile_sharing"}).data

        for staff in (cast.ion, cast.sara, cast.mara):
            seen = api(staff).get(one(cast.ana)).data
            assert set(seen["person"]) == WHOLE
            assert seen["profile_shared"] is True
        assert set(api(cast.nora).get(one(there)).data["person"]) == THREE

        withdrawn = api(cast.ana).post(f"{one(cast.ana)}/consents/{given['id']}/withdraw")
        assert withdrawn.data["status"] == "withdrawn"
        for staff in (cast.ion, cast.sara, cast.mara):
            assert set(api(staff).get(one(cast.ana)).data["person"]) == THREE
        refused = api(cast.ion).put(one(cast.ana), {"person": {"residence": "x"}})
        assert (refused.status, refused.code) == (403, "forbidden")
        assert refused.details == {"reason": "profile_not_shared"}

    def test_is_open_for_caregivers_and_for_staff_who_are_the_person(self, cast, api):
        radu = caregiver(cast, cast.ana.patient)
        mine = profiles.patient(cast.sud, "Mara Stan", user=cast.mara.user)

        assert set(api(radu).get(one(cast.ana)).data["person"]) == WHOLE
        assert set(api(cast.mara).get(one(mine)).data["person"]) == WHOLE
        persons = {each["id"]: set(each["person"]) for each in api(cast.mara).get(PATH).data}
        assert persons == {mine.pk: WHOLE, cast.ana.patient.pk: THREE}

    def test_shows_the_ready_made_example(self, cast, api):
        made = api(cast.ion).post(PATH, {"person": MARIA, "consumer_id": "C-204"})

        assert made.status == 201
        assert made.headers["Location"] == f"{PATH}/{made.data['id']}"
        assert {key: value for key, value in made.data.items() if key not in {"created_at", "updated_at"}} == {
            "id": made.data["id"],
            "organization_id": cast.sud.pk,
            "patient_person_id": made.data["patient_person_id"],
            "person": {"id": made.data["patient_person_id"], "user_id": None, "name": "Maria Ionescu"},
            "profile_shared": False,
            "consumer_id": "C-204",
            "has_account": False,
            "telemetry_level": 0,
        }
        path = f"{PATH}/{made.data['id']}"
        consent = api(cast.ion).post(f"{path}/consents", {"type": "profile_sharing", "method": "paper"})
        assert consent.status == 201
        person = api(cast.ion).get(path).data["person"]
        assert person["phone"] == "+40721000111"
        assert person["email"] is person["sex"] is person["blood_type"] is None
        assert person["allergies"] == person["chronic_conditions"] == person["insurance_entries"] == []
        assert person["date_of_birth"] == "1961-04-02"


class TestWhoSeesAndWrites:
    """Scenario 3."""

    def test_reading(self, cast, api):
        other = profiles.patient(cast.sud, "Bogdan Ilie", user=self._patient(cast, "Bogdan Ilie"))

        assert api(cast.ana).get(one(cast.ana)).status == 200
        assert api(other.person.user).get(one(cast.ana)).status == 404
        assert api(caregiver(cast, cast.ana.patient)).get(one(cast.ana)).status == 200
        assert api(cast.nora).get(one(cast.ana)).status == 404
        assert api().get(one(cast.ana)).status == 401
        assert api(cast.ana).get(PATH).ids == [cast.ana.patient.pk]
        assert set(api(cast.mara).get(PATH).ids) == {cast.ana.patient.pk, other.pk}

    @staticmethod
    def _patient(cast, name):
        user = make.user(name)
        make.member(cast.sud, user, "patient")
        return user

    def test_writing_by_patient_and_caregivers(self, cast, api):
        viewer = caregiver(cast, cast.ana.patient)
        manager = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")

        assert api(viewer).put(one(cast.ana), {"person": {"residence": "Cluj"}}).status == 403
        assert api(viewer).put(one(cast.ana), {}).status == 403
        assert api(manager).put(one(cast.ana), {"person": {"residence": "Cluj"}}).data["person"]["residence"] == "Cluj"
        assert api(cast.ana).put(one(cast.ana), {"person": {"sex": "female"}}).data["person"]["residence"] == "Cluj"
        refused = api(cast.ana).put(one(cast.ana), {"consumer_id": "mine"})
        assert (refused.status, refused.details) == (403, {"fields": ["consumer_id"]})
        for caller in (cast.ana, manager, cast.mara, cast.sara):
            assert api(caller).delete(one(cast.ana)).status == 403
        assert api(cast.petra).delete(one(cast.ana)).status == 404

    def test_a_caregiver_of_yesterday_finds_nothing(self, cast, api):
        yesterday = cast.sud.today(clock.now()) - timedelta(days=1)
        radu = caregiver(cast, cast.ana.patient, valid_to=yesterday)
        soon = caregiver(cast, cast.ana.patient, "Dan Pop", valid_from=yesterday + timedelta(days=2))

        assert api(radu).get(one(cast.ana)).status == 404
        assert api(soon).get(one(cast.ana)).status == 404
        assert api(radu).get(PATH).data == []

    def test_staff_write_behind_the_open_gate_alone(self, cast, api):
        assert api(cast.mara).put(one(cast.ana), {"consumer_id": "C-1"}).data["consumer_id"] == "C-1"
        for staff in (cast.ion, cast.mara, cast.sara):
            refused = api(staff).put(one(cast.ana), {"person": {"name": "x"}})
            assert (refused.status, refused.details) == (403, {"reason": "profile_not_shared"})
        share(cast.ana.patient)
        assert api(cast.mara).put(one(cast.ana), {"person": {"name": "Ana Popescu"}}).status == 200
        assert api(cast.ion).put(one(cast.ana), {"person": {"email": "ana@example.org"}}).status == 200

    def test_specialists_write_of_their_patients(self, cast, api):
        share(cast.ana.patient)
        sara = api(cast.sara)

        assert sara.put(one(cast.ana), {"person": {"residence": "Cluj"}}).status == 403
        visit(cast.ana.patient, cast.tudor.specialist)
        assert sara.put(one(cast.ana), {"person": {"residence": "Cluj"}}).status == 403
        booked = visit(cast.ana.patient, cast.sara.specialist)
        assert sara.put(one(cast.ana), {"person": {"residence": "Cluj"}}).data["person"]["residence"] == "Cluj"
        assert sara.put(one(cast.ana), {"consumer_id": "C-9"}).status == 403
        with make.within(cast.sud):
            appointments.cancel(booked, by=make.SYSTEM, reason="x", as_patient=False)
        assert sara.put(one(cast.ana), {"person": {"residence": "Iași"}}).status == 403

    def test_registering_and_removing_is_for_admins(self, cast, api):
        for caller in (cast.ana, cast.sara, cast.mara):
            assert api(caller).post(PATH, {"person": MARIA}).status == 403
        assert api(cast.root).post(PATH, {"person": MARIA}).code == "organization_required"
        assert api(cast.root, cast.sud).post(PATH, {"person": MARIA}).status == 201


class TestWriting:
    def test_lists_are_replaced_whole_and_values_made_canonical(self, cast, api):
        answer = api(cast.ana).put(
            one(cast.ana),
            {
                "person": {
                    "phone": "(0040) 721-000.111",
                    "allergies": [" polen ", "Polen", "ouă"],
                    "insurance_entries": [{"kind": "state", "insurer": "CAS", "policy_number": "1", "valid_to": None}],
                    "occupation": "  ",
                }
            },
        )

        person = answer.data["person"]
        assert person["phone"] == "+40721000111"
        assert person["allergies"] == ["polen", "ouă"]
        assert person["insurance_entries"][0]["insurer"] == "CAS"
        assert person["occupation"] is None
        ended = {"kind": "private", "insurer": "X", "policy_number": "2", "valid_to": "2030-01-31"}
        again = api(cast.ana).put(one(cast.ana), {"person": {"insurance_entries": [ended]}})
        assert again.data["person"]["insurance_entries"] == [ended]
        assert again.data["person"]["allergies"] == ["polen", "ouă"]

    @pytest.mark.parametrize(
        ("person", "field"),
        [
            ({"name": ""}, "person.name"),
            ({"name": None}, "person.name"),
            ({"name": "x" * 201}, "person.name"),
            ({"id": 5}, "person.id"),
            ({"user_id": 5}, "person.user_id"),
            ({"phone": "721"}, "person.phone"),
            ({"phone": 40721000111}, "person.phone"),
            ({"email": "nobody"}, "person.email"),
            ({"sex": "F"}, "person.sex"),
            ({"blood_type": "C+"}, "person.blood_type"),
            ({"date_of_birth": "1899-12-31"}, "person.date_of_birth"),
            ({"date_of_birth": "2199-01-01"}, "person.date_of_birth"),
            ({"date_of_birth": "01.02.1990"}, "person.date_of_birth"),
            ({"allergies": None}, "person.allergies"),
            ({"allergies": ["x"] * 51}, "person.allergies"),
            ({"allergies": ["ok", ""]}, "person.allergies[1]"),
            ({"allergies": "x"}, "person.allergies"),
            ({"insurance_entries": [{"kind": "none"}]}, "person.insurance_entries[0].kind"),
            ({"insurance_entries": [{"kind": "state", "insurer": "x", "policy_number": "1", "x": 1}]},
             "person.insurance_entries[0].x"),
            ({"residence": "a\u0000b"}, "person.residence"),
            ({"residence": "\ud800"}, "person.residence"),
            ({"residence": {"a": 1}}, "person.residence"),
        ],
    )  # fmt: skip
    def test_refuses_what_a_person_cannot_have(self, cast, api, person, field):
        refused = api(cast.ana).put(one(cast.ana), {"person": person})

        assert field in refused.fields
        assert refused.details["field"] in refused.fields

    @pytest.mark.parametrize("body", [{"person": None}, {"person": []}, {"person": "x"}, {"nonsense": 1}])
    def test_refuses_bodies_of_another_shape(self, cast, api, body):
        assert api(cast.ana).put(one(cast.ana), body).status == 422

    def test_follows_if_match(self, cast, api):
        ana = api(cast.ana)
        etag = ana.get(one(cast.ana)).headers["ETag"]
        ana.put(one(cast.ana), {"person": {"residence": "Cluj"}})

        assert ana.put(one(cast.ana), {"person": {"residence": "x"}}, If_Match=etag).status == 412
        now = ana.get(one(cast.ana)).headers["ETag"]
        assert ana.put(one(cast.ana), {"person": {"residence": "Iași"}}, If_Match=now).status == 200

    def test_announces_what_changed_and_nothing_when_nothing_did(self, cast, api):
        api(cast.ana).put(one(cast.ana), {"person": {"residence": "Cluj"}})
        api(cast.ana).put(one(cast.ana), {"person": {"residence": "Cluj"}})
        api(cast.mara).put(one(cast.ana), {"consumer_id": "C-1"})

        with make.within(cast.sud):
            assert Fact.objects.filter(name="patient.updated").count() == 2

    def test_a_reference_belongs_to_one_patient(self, cast, api):
        api(cast.ion).post(PATH, {"person": MARIA, "consumer_id": "C-204"})

        for answer in (
            api(cast.ion).post(PATH, {"person": MARIA, "consumer_id": "C-204"}),
            api(cast.mara).put(one(cast.ana), {"consumer_id": "C-204"}),
        ):
            assert (answer.status, answer.code) == (409, "conflict")
            assert answer.details == {"field": "consumer_id", "error": "already taken"}
        assert api(cast.nora).post(PATH, {"person": MARIA, "consumer_id": "C-204"}).status == 201


class TestRegistering:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "patient_person_id"),
            ({"person": MARIA, "patient_person_id": 5}, "patient_person_id"),
            ({"person": {"phone": "+40721000111"}}, "person.name"),
            ({"person": MARIA, "create_account": True}, "person.email"),
            ({"person": MARIA, "consents": [{"type": "marketing", "method": "electronic"}]}, "consents[0].method"),
            ({"person": MARIA, "consents": [{"type": "nothing", "method": "paper"}]}, "consents[0].type"),
            ({"person": MARIA, "consents": [{"type": "marketing", "method": "paper"}] * 2}, "consents[1].type"),
            ({"person": MARIA, "consents": [{"type": "marketing", "method": "paper",
                                             "granted_at": "2150-01-01T00:00:00Z"}]}, "consents[0].granted_at"),
            ({"person": {**MARIA, "date_of_birth": "2150-01-01"}}, "person.date_of_birth"),
            ({"person": MARIA, "consumer_id": "x" * 101}, "consumer_id"),
            ({"person": MARIA, "create_account": "yes"}, "create_account"),
            ({"patient_person_id": "5"}, "patient_person_id"),
        ],
    )  # fmt: skip
    def test_names_what_is_wrong(self, cast, api, body, field):
        assert field in api(cast.ion).post(PATH, body).fields
        with make.within(cast.sud):
            assert Patient.objects.count() == 1

    def test_takes_consents_with_it(self, cast, api):
        made = api(cast.ion).post(
            PATH,
            {
                "person": MARIA,
                "consents": [
                    {"type": "profile_sharing", "method": "paper"},
                    {"type": "analytics", "method": "verbal", "policy_version": "7"},
                ],
            },
        )

        assert made.data["profile_shared"] is True
        assert made.data["telemetry_level"] == 2
        assert set(made.data["person"]) == WHOLE
        with make.within(cast.sud):
            assert Fact.objects.filter(name="patient.onboarded", payload={"patient_id": made.data["id"]}).count() == 1

    def test_another_clinics_person_is_as_absent_as_none(self, cast, api):
        """Scenario 2."""
        foreign = api(cast.ion).post(PATH, {"patient_person_id": cast.petra.patient.person_id})
        absent = api(cast.ion).post(PATH, {"patient_person_id": 99999999})

        assert foreign.fields == absent.fields == {"patient_person_id": ["not found"]}
        assert {**foreign.error, "request_id": ""} == {**absent.error, "request_id": ""}
        assert b"Petra" not in foreign.content

    def test_the_person_of_a_member_becomes_a_patient_here(self, cast, api):
        make.member(cast.sud, cast.petra.user, "patient")

        made = api(cast.ion).post(PATH, {"patient_person_id": cast.petra.patient.person_id, "consumer_id": "N-1"})

        assert made.status == 201
        assert made.data["person"] == {
            "id": cast.petra.patient.person_id,
            "user_id": cast.petra.user.pk,
            "name": "Petra Ilie",
        }
        again = api(cast.ion).post(PATH, {"patient_person_id": cast.petra.patient.person_id})
        assert (again.status, again.details) == (409, {"patient_id": made.data["id"]})

    def test_the_person_of_somebody_who_left_does_not(self, cast, api):
        make.member(cast.sud, cast.petra.user, "patient")
        with make.within(cast.sud):
            Membership.objects.filter(user=cast.petra.user).update(status="disabled")

        assert api(cast.ion).post(PATH, {"patient_person_id": cast.petra.patient.person_id}).status == 422


@pytest.fixture
def clerk(settings):
    """A server that answers as the identity provider does."""
    provider = Provider()
    settings.CLERK_JWKS_URL, settings.CLERK_ISSUER = f"{provider.url}/jwks", provider.url
    settings.CLERK_API_URL, settings.CLERK_SECRET_KEY = provider.url, SECRET_KEY
    settings.DEVELOPMENT_ISSUER = False
    tokens.verifier.cache_clear()
    yield provider
    tokens.verifier.cache_clear()
    provider.close()


class TestAccounts:
    BODY = {"person": {**MARIA, "email": "Maria@example.org"}, "create_account": True}

    def test_makes_a_user_and_a_seat(self, cast, api):
        made = api(cast.ion).post(PATH, self.BODY)

        assert made.data["has_account"] is True
        user = User.objects.get(email="maria@example.org")
        assert made.data["person"]["user_id"] == user.pk
        with make.within(cast.sud):
            membership = Membership.objects.get(user=user)
        assert (membership.role, membership.status) == ("patient", "active")

    def test_a_patient_here_with_that_e_mail_is_a_conflict(self, cast, api):
        body = {"person": {**MARIA, "email": cast.ana.user.email.upper()}, "create_account": True}

        answer = api(cast.ion).post(PATH, body)

        assert (answer.status, answer.code, answer.details) == (409, "conflict", {"patient_id": cast.ana.patient.pk})

    def test_somebody_of_another_clinic_is_linked_behind_the_gate(self, cast, api):
        body = {"person": {**MARIA, "email": cast.petra.user.email}, "create_account": True}

        made = api(cast.ion).post(PATH, body)

        assert made.data["patient_person_id"] == cast.petra.patient.person_id
        assert made.data["person"]["name"] == "Petra Ilie"
        assert set(made.data["person"]) == THREE
        with make.within(cast.nord):
            assert PatientPerson.objects.get(pk=cast.petra.patient.person_id).phone is None

    def test_is_made_at_the_provider(self, cast, clerk):
        made = Api(clerk.token(cast.ion.user.clerk_user_id)).post(PATH, self.BODY)

        assert made.status == 201
        assert [(method, path) for method, path, _ in clerk.calls] == [("POST", "/users")]
        assert made.data["has_account"] is True

    @pytest.mark.parametrize("person", [{}, {"date_of_birth": "2150-01-01"}])
    def test_nothing_is_made_while_the_provider_is_down(self, cast, clerk, person):
        ion = Api(clerk.token(cast.ion.user.clerk_user_id))
        assert ion.get(PATH).status == 200  # the provider's keys are known from now on
        clerk.failing = 0 if person else 500

        answer = ion.post(PATH, {**self.BODY, "person": {**self.BODY["person"], **person}})

        assert (answer.status, answer.code) == ((422, "validation_failed") if person else (503, "unavailable"))
        assert person or "Retry-After" in answer.headers
        asked = [(method, path) for method, path, _ in clerk.calls if path == "/users"]
        assert asked == ([] if person else [("POST", "/users")])
        with make.within(cast.sud):
            assert Patient.objects.count() == 1
        assert not User.objects.filter(email="maria@example.org").exists()


class TestRemoval:
    """Scenario 4."""

    def test_waits_for_appointments_and_returns_with_its_history(self, cast, api):
        ion, path = api(cast.ion), one(cast.ana)
        profiles.consent(cast.ana.patient, "analytics")
        caregiver(cast, cast.ana.patient)
        booked = visit(cast.ana.patient, cast.sara.specialist)

        refused = ion.delete(path)
        assert (refused.status, refused.code) == (409, "conflict")
        assert refused.details == {"active_appointments": 1, "active_enrolments": 0}
        with make.within(cast.sud):
            appointments.cancel(booked, by=make.SYSTEM, reason="x", as_patient=False)
        assert ion.delete(path).status == 204
        assert ion.get(path).status == 404
        assert ion.delete(path).status == 404
        with make.within(cast.sud):
            assert Membership.objects.get(user=cast.ana.user).status == "disabled"
            assert PatientPersonManager.objects.filter(ended_at=None).count() == 0
            assert PatientPerson.objects.filter(pk=cast.ana.patient.person_id).exists()

        back = ion.post(PATH, {"patient_person_id": cast.ana.patient.person_id})
        assert (back.status, back.data["id"]) == (201, cast.ana.patient.pk)
        assert [each["type"] for each in ion.get(f"{path}/consents").data] == ["analytics"]
        assert api(cast.ana).get(path).status == 200

    def test_of_staff_keeps_their_seat(self, cast, api):
        mine = profiles.patient(cast.sud, "Mara Stan", user=cast.mara.user)

        assert api(cast.ion).delete(one(mine)).status == 204
        assert api(cast.mara).get(one(mine)).status == 404
        assert api(cast.mara).get("/v1/me").data["role"] == "customer_support"


class TestTheList:
    def test_filters(self, cast, api):
        maria = profiles.patient(cast.sud, "Măria Șerban", email="maria@example.org")
        api(cast.mara).put(one(maria), {"consumer_id": "C-7"})
        share(maria)
        visit(cast.ana.patient, cast.sara.specialist)
        mara = api(cast.mara)
        ana = cast.ana.patient

        assert mara.get(f"{PATH}?search=maria").ids == [maria.pk]
        assert mara.get(f"{PATH}?search=SERBAN").ids == [maria.pk]
        assert mara.get(f"{PATH}?search=ana.pop%40example").ids == [ana.pk]
        assert mara.get(f"{PATH}?search=m").status == 422
        assert mara.get(f"{PATH}?search=%25%25").ids == []
        assert mara.get(f"{PATH}?search=%2B40721000111").ids == []
        assert mara.get(f"{PATH}?profile_shared=true").ids == [maria.pk]
        assert mara.get(f"{PATH}?profile_shared=false").ids == [ana.pk]
        assert mara.get(f"{PATH}?has_account=true").ids == [ana.pk]
        assert mara.get(f"{PATH}?has_account=false").ids == [maria.pk]
        assert mara.get(f"{PATH}?consumer_id=C-7,C-8").ids == [maria.pk]
        assert mara.get(f"{PATH}?specialist_id={cast.sara.specialist.pk}").ids == [ana.pk]
        assert mara.get(f"{PATH}?specialist_id={cast.tudor.specialist.pk}").ids == []
        assert mara.get(f"{PATH}?created_at.gte=2100-01-01T00:00:00Z").ids == []
        assert mara.get(f"{PATH}?sort=name").ids == [ana.pk, maria.pk]
        assert mara.get(PATH).ids == [maria.pk, ana.pk]
        assert mara.get(f"{PATH}?sort=person").status == 422
        assert mara.get(f"{PATH}?phone=1").status == 422
        assert mara.get(f"{PATH}?include=person").status == 422

    def test_an_e_mail_on_file_is_found_behind_the_open_gate_alone(self, cast, api):
        maria = profiles.patient(cast.sud, "Maria", email="unique@elsewhere.example")

        assert api(cast.mara).get(f"{PATH}?search=unique").ids == []
        share(maria)
        assert api(cast.mara).get(f"{PATH}?search=unique").ids == [maria.pk]

    def test_no_segment_is_known_and_patients_do_not_ask(self, cast, api):
        assert api(cast.mara).get(f"{PATH}?segment_id=1").fields == {"segment_id": ["not found"]}
        assert api(cast.ana).get(f"{PATH}?segment_id=1").status == 403

    def test_embeds_relations_with_the_same_number_of_statements(self, cast, api):
        def statements(path):
            api(cast.mara).get(path)
            with CaptureQueriesContext(connection) as captured:
                assert api(cast.mara).get(path).status == 200
            return len(captured)

        path = f"{PATH}?limit=100&include=user,consents,managers,custom_field_values"
        counts = []
        for number in range(12):
            patient = profiles.patient(cast.sud, f"Patient {number}", user=make.user(f"Patient {number}"))
            share(patient)
            caregiver(cast, patient, f"Care {number}")
            if number in {1, 11}:
                counts.append(statements(path))

        assert counts[0] == counts[1]
        assert counts[0] <= 14

    def test_two_worlds(self, cast, api):
        """organizations.md, scenario 1."""
        sud, nord = api(cast.vera, cast.sud).get(PATH).ids, api(cast.vera, cast.nord).get(PATH).ids

        assert sud == [cast.ana.patient.pk]
        assert nord == [cast.petra.patient.pk]


class TestIncludes:
    def test_each_is_what_the_caller_may_see(self, cast, api):
        share(cast.ana.patient)
        radu = caregiver(cast, cast.ana.patient)
        path = f"{one(cast.ana)}?include=user,consents,managers"

        seen = api(cast.mara).get(path).data
        assert seen["user"] == {"id": cast.ana.user.pk, "name": "Ana Pop", "email": "ana.pop@example.org"}
        assert [each["type"] for each in seen["consents"]] == ["profile_sharing"]
        assert "ip_address" not in seen["consents"][0]
        assert [each["user"]["id"] for each in seen["managers"]] == [radu.pk]
        assert api(cast.ana).get(path).data["user"]["email"] == "ana.pop@example.org"
        assert "user" not in api(radu).get(path).data
        assert set(api(cast.mara).get(one(cast.ana)).data) == KEYS


class TestTheTrail:
    def test_reading_by_anybody_but_the_patient_is_written_down(self, cast, api):
        radu = caregiver(cast, cast.ana.patient)
        for caller in (cast.ana, cast.mara, radu):
            for path in ("", "/consents", "/managers"):
                assert api(caller).get(one(cast.ana) + path).status == 200
        api(cast.mara).get(PATH)

        with make.within(cast.sud):
            rows = AuditEntry.objects.filter(action="READ", patient_id=cast.ana.patient.pk).order_by("id")
            told = [(row.actor_id, row.entity_type, row.entity_id, row.on_behalf_of) for row in rows]
        ana = cast.ana.patient.pk
        assert told == [
            (str(cast.mara.user.pk), "patient", str(ana), None),
            (str(cast.mara.user.pk), "consent", None, None),
            (str(cast.mara.user.pk), "patient_person_manager", None, None),
            (str(radu.pk), "patient", str(ana), ana),
            (str(radu.pk), "consent", None, ana),
            (str(radu.pk), "patient_person_manager", None, ana),
        ]

    def test_a_caregivers_act_names_the_patient(self, cast, api):
        dan = caregiver(cast, cast.ana.patient, "Dan Pop", "manage")
        api(dan).put(one(cast.ana), {"person": {"residence": "Cluj"}})

        with make.within(cast.sud):
            row = AuditEntry.objects.filter(entity_type="patient_person", action="UPDATE").get()
        assert (row.actor_id, row.on_behalf_of) == (str(dan.pk), cast.ana.patient.pk)

    def test_a_superadmin_without_context_reads_on_the_record(self, cast, api):
        assert api(cast.root).get(one(cast.ana)).status == 200

        with acting_for(cast.sud.pk, actor=Actor.system("test")):
            assert AuditEntry.objects.filter(action="READ", actor_id=str(cast.root.user.pk)).count() == 1


def test_withdrawal_counts_for_whoever_asks_next(cast, api):
    record = share(cast.ana.patient)
    assert "phone" in api(cast.mara).get(PATH).data[0]["person"]
    with make.within(cast.sud):
        consents.withdraw(record, by=make.SYSTEM)
    assert "phone" not in api(cast.mara).get(PATH).data[0]["person"]
