"""The patients of a clinic in its back office: the list, the sheet behind the gate, consents, caregivers."""

from __future__ import annotations

import pytest

from apps.organizations.models import AuditEntry
from apps.profiles.models import ConsentRecord, Patient, PatientPersonManager
from tests.admin.office import appointment, template
from tests.make.organizations import within
from tests.make.profiles import consent, patient

SECRETS = {"email": "maria.private@example.org", "phone": "+40721555777", "residence": "Strada Lungă 7"}


@pytest.fixture
def maria(cast):
    """A patient who shares nothing, of whom there is much to know."""
    return patient(cast.sud, "Maria Țăran", **SECRETS)


@pytest.fixture
def ion(cast, office):
    """An admin of the clinic at work."""
    return office(cast.ion)


def sheet_of(row):
    return f"/admin/patients/{row.pk}/"


class TestTheList:
    def test_finds_by_part_of_a_name_without_accents(self, ion, maria):
        page = ion.get("/admin/profiles/patient/", q="tar")

        assert "Maria Țăran" in page.text
        assert "Ana Pop" not in page.text

    def test_finds_by_part_of_a_phone_only_while_it_is_shared(self, ion, maria):
        assert "Maria" not in ion.get("/admin/profiles/patient/", q="555777").text

        consent(maria, "profile_sharing")

        assert "Maria Țăran" in ion.get("/admin/profiles/patient/", q="0721 555").text

    def test_filters_by_sharing_and_account(self, ion, maria):
        consent(maria, "profile_sharing")

        shared = ion.get("/admin/profiles/patient/", shared="yes").text
        without = ion.get("/admin/profiles/patient/", account="no").text

        assert "Maria Țăran" in shared
        assert "Ana Pop" not in shared
        assert "Maria Țăran" in without
        assert "Ana Pop" not in without

    def test_costs_the_same_number_of_statements_however_long_it_is(self, ion, cast, django_assert_max_num_queries):
        for number in range(12):
            patient(cast.sud, f"Nobody {number}")
        with django_assert_max_num_queries(26) as few:
            ion.get("/admin/profiles/patient/")
        for number in range(10):
            patient(cast.sud, f"Somebody {number}")
        with django_assert_max_num_queries(len(few)):
            ion.get("/admin/profiles/patient/")

    def test_adds_a_patient_with_the_consent_given_on_paper(self, ion, cast):
        page = ion.get("/admin/profiles/patient/add/")
        page = ion.post(
            "/admin/profiles/patient/add/",
            page.filled(name="Dan Radu", phone="+40 721 000 111", consumer_id="C-7", shares="on"),
        )

        assert "Dan Radu" in page.text
        assert "+40721000111" in page.text
        with within(cast.sud):
            made = Patient.objects.get(consumer_id="C-7")
            assert ConsentRecord.objects.get(patient=made).method == "paper"

    def test_shows_what_no_person_has_at_its_field(self, ion):
        page = ion.get("/admin/profiles/patient/add/")
        page = ion.post("/admin/profiles/patient/add/", page.filled(name="Dan Radu", phone="12"))

        assert 'id="id_phone_error"' in page.html


class TestTheSheet:
    def test_shows_the_name_only_and_says_why_while_nothing_is_shared(self, ion, maria):
        page = ion.get(sheet_of(maria))

        assert "Maria Țăran" in page.text
        assert "does not share the profile" in page.text
        for secret in SECRETS.values():
            assert secret not in page.html

    def test_shows_the_person_while_the_profile_is_shared(self, ion, maria):
        consent(maria, "profile_sharing")

        page = ion.get(sheet_of(maria))

        for secret in SECRETS.values():
            assert secret in page.html

    def test_shows_visits_to_come_and_visits_that_were(self, ion, cast, maria, monday):
        appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), monday, maria)

        assert "Sara Marin" in ion.get(sheet_of(maria)).text

    def test_leaves_a_reading_in_the_trail(self, ion, cast, maria):
        ion.get(sheet_of(maria))

        with within(cast.sud):
            row = AuditEntry.objects.get(action="READ", entity_type="patient", entity_id=str(maria.pk))
        assert (row.patient_id, row.actor_id) == (maria.pk, str(cast.ion.user.pk))

    def test_of_another_clinics_patient_does_not_exist(self, ion, cast):
        assert ion.get(sheet_of(cast.petra.patient)).status == 404

    def test_is_read_by_a_superadmin_who_looks_at_all_clinics(self, office, cast, maria):
        page = office(cast.root).get(sheet_of(maria))

        assert "Maria Țăran" in page.text
        assert "Choose this row's clinic" in page.text
        assert "Record a consent" not in page.text

    def test_of_a_removed_patient_offers_the_return(self, ion, cast, maria):
        page = ion.post(f"/admin/profiles/patient/moves/remove/?ids={maria.pk}&next={sheet_of(maria)}")
        assert "Removed" in page.text

        page = ion.post(f"/admin/profiles/patient/moves/restore/?ids={maria.pk}&next={sheet_of(maria)}")
        assert "Removed" not in page.text


class TestChanges:
    def test_of_the_person_are_made_while_the_profile_is_shared(self, ion, cast, maria):
        consent(maria, "profile_sharing")
        path = f"/admin/profiles/patient/{maria.pk}/change/"

        page = ion.get(path)
        page = ion.post(path, page.filled(residence="Strada Scurtă 1", allergies="polen\npraf", consumer_id="C-9"))

        assert "Strada Scurtă 1" in page.text
        assert "polen, praf" in page.text
        assert "C-9" in page.text

    def test_of_insurances_are_read_line_by_line(self, ion, cast, maria):
        consent(maria, "profile_sharing")
        path = f"/admin/profiles/patient/{maria.pk}/change/"

        page = ion.post(
            path, ion.get(path).filled(insurance_entries="private | Allianz | A-1 | 2030-01-31\nstate|CNAS|7")
        )
        assert "Allianz · A-1" in page.text
        page = ion.post(path, ion.get(path).filled(insurance_entries="pets | Allianz | A-1"))
        assert "Line 1: write employer, private or state" in page.text

        with within(cast.sud):
            maria.person.refresh_from_db()
        assert [entry["valid_to"] for entry in maria.person.insurance_entries] == ["2030-01-31", None]

    def test_that_arrive_after_the_gate_was_closed_change_nothing(self, ion, cast, maria):
        record = consent(maria, "profile_sharing")
        path = f"/admin/profiles/patient/{maria.pk}/change/"
        sent = ion.get(path).filled(residence="Elsewhere")
        ion.post(f"/admin/profiles/consentrecord/moves/withdraw/?ids={record.pk}", {"note": ""})

        ion.post(path, sent)

        with within(cast.sud):
            maria.person.refresh_from_db()
        assert maria.person.residence == "Strada Lungă 7"

    def test_are_not_for_specialists_who_do_not_treat_the_patient(self, office, cast, maria):
        consent(maria, "profile_sharing")
        sara = office(cast.sara)

        assert f"/admin/profiles/patient/{maria.pk}/change/" not in sara.get(sheet_of(maria)).html
        page = sara.get(f"/admin/profiles/patient/{maria.pk}/change/")
        assert 'class="sheet"' not in page.html


class TestConsents:
    def test_are_recorded_from_the_sheet_and_open_the_gate(self, ion, maria):
        page = ion.get("/admin/profiles/consentrecord/add/", patient=maria.pk)
        assert page.value("patient") == str(maria.pk)
        page = ion.post("/admin/profiles/consentrecord/add/", page.filled(type="profile_sharing", method="paper"))

        assert SECRETS["residence"] in page.text

    def test_are_taken_by_staff_on_paper_or_by_word_only(self, ion, cast, maria):
        page = ion.get("/admin/profiles/consentrecord/add/", patient=maria.pk)
        page = ion.post("/admin/profiles/consentrecord/add/", page.filled(type="analytics", method="electronic"))

        with within(cast.sud):
            assert not ConsentRecord.objects.filter(type="analytics").exists()

    def test_that_the_patient_gave_in_person_end_with_a_note_only(self, ion, cast, maria):
        record = consent(maria, "marketing", method="electronic")
        path = f"/admin/profiles/consentrecord/moves/withdraw/?ids={record.pk}&next={sheet_of(maria)}"

        assert "error" in ion.post(path, {"note": ""}).messages[0]
        page = ion.post(path, {"note": "told us by telephone"})

        assert "told us by telephone" in page.text

    def test_of_another_clinics_patient_are_not_recorded(self, ion, cast):
        page = ion.post(
            "/admin/profiles/consentrecord/add/",
            {"patient": cast.petra.patient.pk, "type": "analytics", "method": "paper"},
        )

        assert "There is no such patient." in page.text


class TestCaregivers:
    def test_are_appointed_and_ended_from_the_sheet(self, ion, cast, maria):
        page = ion.get("/admin/profiles/patientpersonmanager/add/", patient=maria.pk)
        page = ion.post(
            "/admin/profiles/patientpersonmanager/add/",
            page.filled(email=cast.ana.user.email, relation="child", permissions="view"),
        )
        assert "Ana Pop" in page.text

        with within(cast.sud):
            link = PatientPersonManager.objects.get(patient=maria)
        page = ion.post(f"/admin/profiles/patientpersonmanager/moves/end/?ids={link.pk}&next={sheet_of(maria)}")

        assert "ended" in page.text


class TestThePalette:
    def find(self, browser, text):
        import json

        return json.loads(browser.get("/admin/find/", q=text).html)["groups"]

    def test_finds_patients_first_and_pages_after_them(self, ion, maria):
        groups = self.find(ion, "a")
        assert [group["label"] for group in groups] == ["Pages"]

        groups = self.find(ion, "tar")
        assert groups[0]["label"] == "Patients"
        assert groups[0]["items"] == [
            {"label": "Maria Țăran", "url": sheet_of(maria), "detail": f"No. {maria.pk}"},
        ]

    def test_finds_a_page_that_the_role_may_open_and_no_other(self, ion, office, cast):
        labels = [item["label"] for group in self.find(ion, "member") for item in group["items"]]
        assert labels == ["Members"]
        assert self.find(office(cast.sara), "member") == []

    def test_finds_nobody_of_another_clinic(self, ion):
        assert self.find(ion, "Petra") == []

    def test_tells_nothing_behind_the_gate(self, ion, maria):
        assert self.find(ion, "maria.private") == []
        assert self.find(ion, "0721555777") == []
        consent(maria, "profile_sharing")
        assert self.find(ion, "maria.private")[0]["items"][0]["label"] == "Maria Țăran"
        assert self.find(ion, "0721555777")[0]["items"][0]["label"] == "Maria Țăran"

    @pytest.mark.parametrize("text", ["\x00", "%", "'", "ș" * 300, "🦷"])
    def test_survives_anything(self, ion, text):
        self.find(ion, text)

    def test_is_not_for_strangers(self, office):
        assert "Sign in" in office().get("/admin/find/", q="maria").text
