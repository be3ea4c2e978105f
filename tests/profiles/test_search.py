"""Whom the search of patients finds, and what it may never give away."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.organizations.models import AuditEntry, User
from apps.organizations.services import users
from apps.profiles.models import Patient, PatientPerson, PatientSearch
from apps.profiles.services import consents, patients, persons
from restartix.kernel import grams
from tests.make.cast import Cast
from tests.make.organizations import SYSTEM, within
from tests.make.profiles import consent, patient

pytestmark = pytest.mark.django_db


def found(cast: Cast, text: str) -> list[str]:
    """The names that `matching` keeps at the southern clinic."""
    with within(cast.sud):
        return sorted(row.person.name for row in Patient.objects.matching(text).select_related("person"))


class TestWords:
    @pytest.mark.parametrize("text", ["tar", "ȚĂR", "ţăr", "Țăran", "tăran gh", "GHEORGHE"])
    def test_find_a_name_whatever_capitals_and_accents(self, cast: Cast, text: str) -> None:
        patient(cast.sud, "Țăran Gheorghe")

        assert found(cast, text) == ["Țăran Gheorghe"]

    def test_find_a_name_that_was_typed_with_combining_accents(self, cast: Cast) -> None:
        patient(cast.sud, "Stănescu")

        assert found(cast, "sta\u0306nescu") == ["Stănescu"]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "a%c", "'; --"])
    def test_know_no_wildcards(self, cast: Cast, text: str) -> None:
        patient(cast.sud, "abc")

        assert found(cast, text) == []

    def test_find_the_login_of_anybody_but_an_address_on_file_only_while_it_is_shared(self, cast: Cast) -> None:
        with within(cast.sud):
            user = users.create(by=SYSTEM, email="login.address@example.org", name="Ada")
        ada = patient(cast.sud, "Ada", user=user, email="private.address@example.org")

        assert found(cast, "LOGIN.addr") == ["Ada"]
        assert found(cast, "private.addr") == []
        record = consent(ada, "profile_sharing")
        assert found(cast, "private.addr") == ["Ada"]
        with within(cast.sud):
            consents.withdraw(record, by=SYSTEM)
        assert found(cast, "private.addr") == []

    def test_find_nobody_by_phone(self, cast: Cast) -> None:
        consent(patient(cast.sud, "Ada", phone="+40721000111"), "profile_sharing")

        assert found(cast, "+40721000111") == []
        assert found(cast, "721000") == []


class TestCopies:
    def test_follow_a_change_that_another_clinic_makes(self, cast: Cast) -> None:
        maria = patient(cast.sud, "Maria Ionescu")
        with within(cast.nord):
            elsewhere = patients.open_file(maria.person.pk, by=SYSTEM)
            persons.change(elsewhere.person, by=SYSTEM, name="Maria Popescu")

        assert found(cast, "popescu") == ["Maria Popescu"]
        assert found(cast, "ionescu") == []

    def test_follow_the_address_of_a_login(self, cast: Cast) -> None:
        with within(cast.sud):
            user = users.create(by=SYSTEM, email="old@example.org", name="Ada")
        patient(cast.sud, "Ada", user=user)

        User.objects.filter(pk=user.pk).update(email="new@example.org")

        assert found(cast, "old@") == []
        assert found(cast, "new@") == ["Ada"]

    def test_cannot_be_written_by_the_application(self, cast: Cast) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT bool_or(has_table_privilege(current_user, 'profiles_patientsearch', act)) "
                "FROM unnest('{INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) act"
            )
            assert cursor.fetchone() == (False,)

    def test_of_other_clinics_are_not_seen(self, cast: Cast) -> None:
        patient(cast.nord, "Somebody Elsewhere")

        with within(cast.sud):
            assert not PatientSearch.objects.filter(open_words__contains="elsewhere").exists()
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM profiles_patientsearch WHERE open_words LIKE '%elsewhere%'")
                assert cursor.fetchone() == (0,)


class TestPhones:
    def test_leave_buckets_that_hold_about_ten_grams_each(self) -> None:
        digits = "40721000111"

        buckets = grams.buckets_of(digits)

        assert len(buckets) <= len(digits) - grams.LENGTH + 1
        assert all(0 <= bucket < grams.BUCKETS for bucket in buckets)
        assert buckets == sorted(buckets)

    def test_leave_no_trace_in_the_audit_trail(self, cast: Cast) -> None:
        with within(cast.sud):
            ada = patients.register(by=SYSTEM, person={"name": "Ada", "phone": "+40721000111"})
            persons.change(ada.person, by=SYSTEM, phone="+40721000112")
            trail = AuditEntry.objects.filter(entity_type="patient_person", entity_id=str(ada.person_id))
            told = list(trail.values_list("changes", flat=True))

        assert told
        for changes in told:
            assert "phone_grams" not in changes
            assert changes["phone"]["new"] == "***"

    def test_that_are_taken_away_leave_nothing(self, cast: Cast) -> None:
        ada = patient(cast.sud, "Ada", phone="+40721000111")
        with within(cast.sud):
            assert PatientSearch.objects.get(patient=ada).phone_grams == grams.buckets_of("40721000111")
            persons.change(ada.person, by=SYSTEM, phone=None)
            assert PatientSearch.objects.get(patient=ada).phone_grams is None
            assert PatientPerson.objects.get(pk=ada.person_id).phone_grams is None

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("0721 000", ["0721000", "721000"]),
            ("+40 721", ["40721"]),
            ("0040721", ["40721"]),
            ("721", []),
            ("0721a", []),
            ("ana", []),
        ],
    )
    def test_are_looked_for_as_people_write_them(self, text: str, wanted: list[str]) -> None:
        assert grams.wanted_digits(text) == wanted
