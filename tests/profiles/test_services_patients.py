"""Patients and persons: written down, shared, seen."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection

from apps.organizations.models import AuditEntry, Fact
from apps.profiles.errors import AlreadyPatient
from apps.profiles.models import Patient, PatientPerson
from apps.profiles.selectors.patients import own_patient
from apps.profiles.selectors.people import person_as_seen
from apps.profiles.services import consents, patients, persons
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, acting_for
from tests.make import organizations as make
from tests.make import profiles

MARIA = {
    "name": "Maria Ionescu",
    "email": "maria@example.org",
    "phone": "0040 721-000.111",
    "date_of_birth": date(1961, 4, 2),
    "allergies": ["Penicilină", "polen", "PENICILINĂ"],
}


def actor(user, role, organization):
    return Actor(kind="user", id=user.pk, name=user.name, role=role, organization_id=organization.pk)


class TestRegistering:
    def test_writes_the_person_down_and_opens_the_file(self, cast):
        maria = profiles.patient(cast.sud, **MARIA)

        with make.within(cast.sud):
            person = Patient.objects.get(pk=maria.pk).person
            facts = Fact.objects.filter(name="patient.onboarded", payload={"patient_id": maria.pk})
            assert facts.count() == 1
        assert person.phone == "+40721000111"
        assert person.allergies == ["Penicilină", "polen"]

    def test_seals_the_phone_and_compares_it_by_a_keyed_hash(self, cast):
        first, second = profiles.patient(cast.sud, **MARIA), profiles.patient(cast.sud, **{**MARIA, "name": "Ion"})

        with make.within(cast.sud), connection.cursor() as cursor:
            cursor.execute(
                "SELECT phone, phone_hash FROM profiles_patientperson WHERE id = ANY(%s)",
                [[first.person_id, second.person_id]],
            )
            (one, one_hash), (other, other_hash) = [(bytes(a), bytes(b)) for a, b in cursor.fetchall()]
            entries = AuditEntry.objects.filter(entity_type="patient_person")
            assert "721000111" not in str([entry.changes for entry in entries])
        assert b"721000111" not in one + other
        assert one != other
        assert one_hash == other_hash

    @pytest.mark.parametrize(
        ("field", "value"),
        [("phone", "721"), ("date_of_birth", date(1899, 12, 31)), ("date_of_birth", date(2199, 1, 1))],
    )
    def test_refuses_what_no_person_has(self, cast, field, value):
        with pytest.raises(Invalid) as refused:
            profiles.patient(cast.sud, **{**MARIA, field: value})

        assert list(refused.value.fields) == [f"person.{field}"]

    def test_keeps_the_clinics_own_references_apart(self, cast):
        with make.within(cast.sud):
            patients.register(by=make.SYSTEM, person={"name": "A"}, consumer_id="C-204")
            with pytest.raises(AlreadyTaken):
                patients.register(by=make.SYSTEM, person={"name": "B"}, consumer_id="C-204")

    def test_brings_a_removed_patient_back_with_id_and_history(self, cast):
        with make.within(cast.sud):
            ana = cast.ana.patient
            consents.grant(patient=ana, type="analytics", method="paper", by=make.SYSTEM)
            with pytest.raises(AlreadyPatient):
                patients.open_file(ana.person.pk, by=make.SYSTEM)
            ana.deleted_at = clock.now()
            ana.save()

            back = patients.open_file(ana.person.pk, by=make.SYSTEM)

            assert (back.pk, back.deleted_at) == (ana.pk, None)
            assert consents.active_types(back) == {"analytics"}

    def test_gives_a_login_to_one_person(self, cast):
        with pytest.raises(AlreadyTaken):
            profiles.patient(cast.sud, "Another Ana", user=cast.ana.user)


class TestTheGate:
    """What staff see of a person (contract/profiles.md, acceptance scenario 1)."""

    def seen(self, patient, user, role):
        organization = patient.organization
        who = actor(user, role, organization)
        with acting_for(organization.pk, actor=who):
            return person_as_seen(patient, who, today=organization.today(clock.now()))

    @pytest.mark.parametrize("who", ["ion", "sara", "mara"])
    def test_is_closed_to_staff_until_the_person_shares(self, cast, who):
        maria, user = profiles.patient(cast.sud, **MARIA), getattr(cast, who).user
        role = {"ion": Role.ADMIN, "sara": Role.SPECIALIST, "mara": Role.CUSTOMER_SUPPORT}[who]

        before = self.seen(maria, user, role)
        consent = profiles.consent(maria, "profile_sharing")
        during = self.seen(maria, user, role)
        with make.within(cast.sud):
            consents.withdraw(consent, by=make.SYSTEM)
        after = self.seen(maria, user, role)

        assert before == after == {"id": maria.person_id, "user_id": None, "name": "Maria Ionescu"}
        assert during["phone"] == "+40721000111"
        assert len(during) == 17

    def test_is_no_gate_for_the_person(self, cast):
        assert "email" in self.seen(cast.ana.patient, cast.ana.user, Role.PATIENT)
        assert self.seen(cast.ana.patient, cast.sara.user, Role.PATIENT) == {}

    def test_opens_for_one_clinic_alone(self, cast):
        with make.within(cast.nord), connection.cursor() as cursor:
            # the same person at another clinic; only onboarding may do this in life
            cursor.execute("SELECT set_config('app.user', %s, true)", [str(cast.ana.user.pk)])
            person = PatientPerson.objects.get(pk=cast.ana.patient.person_id)
            there = patients.open_file(person.pk, by=make.SYSTEM)
        profiles.consent(cast.ana.patient, "profile_sharing")

        assert len(self.seen(cast.ana.patient, cast.mara.user, Role.CUSTOMER_SUPPORT)) == 17
        assert len(self.seen(there, cast.nora.user, Role.ADMIN)) == 3

    def test_changes_are_written_in_the_name_of_the_clinic_that_makes_them(self, cast):
        with make.within(cast.nord), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.user', %s, true)", [str(cast.ana.user.pk)])
            person = PatientPerson.objects.get(pk=cast.ana.patient.person_id)
            patients.open_file(person.pk, by=make.SYSTEM)
            persons.change(person, by=make.SYSTEM, residence="Cluj")
            entries = AuditEntry.objects.filter(entity_type="patient_person", entity_id=str(person.pk))
            assert [entry.changes for entry in entries] == [{"residence": {"old": None, "new": "Cluj"}}]


class TestOwnFile:
    def test_is_the_callers_in_the_active_organization(self, cast):
        ana = actor(cast.ana.user, Role.PATIENT, cast.sud)
        with acting_for(cast.sud.pk, actor=ana):
            assert own_patient(ana) == cast.ana.patient
        with acting_for(cast.nord.pk, actor=ana):
            assert own_patient(ana) is None

    def test_is_nobodys_for_those_without_a_login(self, cast):
        maria = profiles.patient(cast.sud, "Maria Ionescu")
        with make.within(cast.sud):
            assert own_patient(Actor.anonymous()) is None
            assert not Patient.objects.own(Actor.anonymous(), today=cast.sud.today(clock.now())).exists()
        assert maria.person.user_id is None

    def test_of_another_clinics_person_is_not_even_visible(self, cast):
        with make.within(cast.nord):
            assert not PatientPerson.objects.filter(pk=cast.ana.patient.person_id).exists()
