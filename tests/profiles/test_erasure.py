"""Erasure of a person and the archives: contract/profiles.md 3 (Commands), contract/running.md."""

from __future__ import annotations

import hashlib
import json
import zipfile
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.organizations.models import Membership, User
from apps.organizations.services import sealing
from apps.profiles.models import ConsentRecord, Patient, PatientPerson
from apps.profiles.services import patients
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments
from restartix.kernel import clock
from restartix.kernel.tenancy import Trace, across_organizations
from tests.make import profiles
from tests.make.organizations import SYSTEM, within

PHONE = "+40721000111"


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=StringIO(), **options)
    return json.loads(out.getvalue())


@pytest.fixture
def everywhere():
    with across_organizations(reason="tests", actor=SYSTEM, trace=Trace()):
        yield


@pytest.fixture
def ana(cast):
    """Ana, with everything that names her, a patient of both clinics."""
    with within(cast.sud):
        patients.change(
            cast.ana.patient, by=SYSTEM, consumer_id="C-204",
            person={
                "email": "ana.at.home@example.org", "phone": PHONE, "residence": "Strada Mare 1, Cluj",
                "blood_type": "A+", "allergies": ["penicillin"],
                "insurance_entries": [
                    {"kind": "state", "insurer": "CAS", "policy_number": "CJ-100200", "valid_to": None}
                ],
            },
        )  # fmt: skip
    profiles.consent(cast.ana.patient, "profile_sharing")
    return cast.ana


def booked(cast, *, days):
    start = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=days)
    with within(cast.sud):
        return appointments.create(
            patient=cast.ana.patient, specialist=cast.sara.specialist, started_at=start,
            ended_at=start + timedelta(hours=1), title="Visit", by=SYSTEM,
        )  # fmt: skip


def traces(*names):
    """How many audit rows still hold one of the names."""
    with connection.cursor() as cursor, across_organizations(reason="tests", actor=SYSTEM, trace=Trace()):
        pattern = "|".join(names)
        cursor.execute(
            "SELECT count(*) FROM organizations_auditentry WHERE changes::text ~ %s OR actor_name ~ %s",
            [pattern, pattern],
        )
        return cursor.fetchone()[0]


class TestErasing:
    def test_nothing_that_names_the_person_is_left(self, cast, ana):
        protocol = run("erase_person", email=ana.user.email, reason="asked for in writing")
        with within(cast.sud):
            person = PatientPerson.objects.get(pk=ana.patient.person_id)
            user = User.objects.get(pk=ana.user.pk)
            file = Patient.objects.get(pk=ana.patient.pk)

        assert person.name == user.name == protocol["pseudonym"]
        assert {person.email, person.phone, person.phone_hash, person.residence, person.date_of_birth} == {None}
        assert person.insurance_entries == []
        assert (user.blocked, user.has_usable_password()) == (True, False)
        assert user.email.endswith("@erased.invalid")
        assert file.consumer_id is None
        assert not any(name in json.dumps(protocol) for name in ("Ana", "example.org", PHONE))

    def test_clinical_rows_and_consents_stay_under_the_pseudonym(self, cast, ana):
        appointment = booked(cast, days=3)
        with within(cast.sud):
            appointments.cancel(appointment, by=SYSTEM, reason_code="other", reason="called off")
        run("erase_person", email=ana.user.email, reason="asked for in writing")
        with within(cast.sud):
            person = PatientPerson.objects.get(pk=ana.patient.person_id)
            consent = ConsentRecord.objects.get(patient=ana.patient)

            assert (person.blood_type, person.allergies) == ("A+", ["penicillin"])
            assert (consent.status, consent.withdrawal_note) == ("withdrawn", "erased")
            assert Appointment.objects.get(pk=appointment.pk).patient_id == ana.patient.pk

    def test_the_login_opens_nothing_any_more(self, cast, ana, api):
        session = api(ana)
        assert session.get("/v1/me").status == 200

        run("erase_person", email=ana.user.email, reason="asked for in writing")

        assert session.get("/v1/me").status in {401, 403}
        with within(cast.sud):
            assert Membership.objects.get(user=ana.user).status == "disabled"

    def test_it_is_refused_while_an_appointment_is_active(self, cast, ana):
        booked(cast, days=3)

        with pytest.raises(CommandError) as refused:
            call_command("erase_person", email=ana.user.email, reason="x", stdout=StringIO(), stderr=StringIO())

        assert "active_appointments: 1" in str(refused.value)
        with within(cast.sud):
            assert PatientPerson.objects.get(pk=ana.patient.person_id).name == "Ana Pop"

    def test_staff_are_not_erased_by_it(self, cast):
        profiles.patient(cast.sud, "Mara Stan", user=cast.mara.user)

        with pytest.raises(CommandError):
            call_command("erase_person", email=cast.mara.user.email, reason="x", stdout=StringIO(), stderr=StringIO())

    def test_a_rehearsal_changes_nothing(self, cast, ana):
        protocol = run("erase_person", "--dry-run", email=ana.user.email, reason="x")

        assert protocol["dry_run"] is True
        assert protocol["removed"]["audit rows redacted"] > 0
        with within(cast.sud):
            assert PatientPerson.objects.get(pk=ana.patient.person_id).name == "Ana Pop"
        assert traces("Cluj") > 0

    def test_an_unknown_address_is_nobody(self, cast):
        with pytest.raises(CommandError):
            call_command("erase_person", email="nobody@example.org", reason="x", stdout=StringIO(), stderr=StringIO())

    def test_one_address_of_two_people_is_nobodys(self, cast):
        for name in ("Child One", "Child Two"):
            profiles.patient(cast.sud, name, email="mother@example.org")

        with pytest.raises(CommandError) as refused:
            call_command("erase_person", email="mother@example.org", reason="x", stdout=StringIO(), stderr=StringIO())
        assert "person_ids" in str(refused.value)


class TestErasingAtOneClinic:
    def test_a_patient_is_named_by_clinic_and_id(self, cast, ana):
        protocol = run("patient_erase", organization="clinica-sud", patient=ana.patient.pk, reason="asked for")

        assert protocol["patient_ids"] == [ana.patient.pk]

    def test_it_is_refused_where_other_clinics_have_the_person_too(self, cast, ana, everywhere):
        with within(cast.nord):
            patients.open_file(ana.patient.person.pk, by=SYSTEM)

        with pytest.raises(CommandError) as refused:
            call_command(
                "patient_erase", organization="clinica-sud", patient=ana.patient.pk, reason="x",
                stdout=StringIO(), stderr=StringIO(),
            )  # fmt: skip
        assert "other_clinics: 1" in str(refused.value)

    def test_another_clinics_patient_is_unknown(self, cast):
        with pytest.raises(CommandError):
            call_command(
                "patient_erase", organization="clinica-sud", patient=cast.petra.patient.pk, reason="x",
                stdout=StringIO(), stderr=StringIO(),
            )  # fmt: skip


class TestTheTrail:
    @pytest.mark.usefixtures("committed_db")
    def test_it_forgets_the_person_and_still_verifies(self, cast, ana, tmp_path):
        sealing.seal(seconds=30, anchors=tmp_path / "anchors")
        assert traces("Ana Pop", "Cluj", "C-204") > 0

        protocol = run("erase_person", email=ana.user.email, reason="asked for in writing")

        assert protocol["removed"]["audit rows redacted"] > 0
        assert traces("Ana Pop", "Cluj", "C-204", "ana.pop", "ana.at.home") == 0
        assert run("audit_verify", anchors=tmp_path / "anchors")["ok"] is True
        sealing.seal(seconds=30, anchors=tmp_path / "anchors")
        verified = run("audit_verify", anchors=tmp_path / "anchors")
        assert verified["ok"] is True
        assert all(chain["unsealed"] == 0 for chain in verified["chains"])

    def test_that_and_why_it_happened_stays(self, cast, ana):
        run("erase_person", email=ana.user.email, reason="asked for in writing")
        with within(cast.sud), connection.cursor() as cursor:
            cursor.execute(
                "SELECT actor_id, changes::text FROM organizations_auditentry "
                "WHERE entity_type = 'patient_person' AND action = 'DELETE'"
            )
            ((actor, changes),) = cursor.fetchall()

        assert actor == "erase_person"
        assert "asked for in writing" in changes

    @pytest.mark.parametrize("role", ["restartix_app", "restartix_platform"])
    def test_nobody_redacts_by_hand(self, cast, ana, role):
        from django.db import DatabaseError, transaction

        with within(cast.sud), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('role', %s, true), set_config('app.redacting', 'on', true)", [role])
            with pytest.raises(DatabaseError), transaction.atomic():
                cursor.execute("UPDATE organizations_auditentry SET changes = NULL, salt = NULL, redacted = true")

    def test_the_application_cannot_call_the_redaction(self, cast):
        from django.db import DatabaseError, transaction

        with within(cast.sud), pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT restartix_redact_audit(1, ARRAY[1]::bigint[], 1, 'x')")


class TestArchives:
    def test_a_patients_document_is_whole_for_the_patient(self, cast, tmp_path):
        result = run("patient_export", organization="clinica-sud", patient=cast.ana.patient.pk, out=tmp_path / "ana")
        document = json.loads((tmp_path / "ana").read_text())

        assert result["file"] == str(tmp_path / "ana")
        assert "email" in document["person"]
        assert (tmp_path / "ana").stat().st_mode & 0o077 == 0

    def test_a_person_takes_along_what_every_clinic_keeps(self, cast, ana, tmp_path, everywhere):
        with within(cast.nord):
            patients.open_file(ana.patient.person.pk, by=SYSTEM)
        run("export_person", email=ana.user.email, out=tmp_path / "ana.json")
        document = json.loads((tmp_path / "ana.json").read_text())

        assert {each["organization"]["slug"] for each in document["organizations"]} == {"clinica-sud", "clinica-nord"}
        assert all(each["export"]["person"]["phone"] == PHONE for each in document["organizations"])

    @pytest.mark.usefixtures("committed_db")
    def test_a_clinics_archive_holds_its_rows_and_nobody_elses(self, cast, ana, tmp_path):
        booked(cast, days=3)
        run("organization_export", organization="clinica-sud", out=tmp_path / "sud.zip")
        with zipfile.ZipFile(tmp_path / "sud.zip") as archive:
            manifest = json.loads(archive.read("manifest.json"))
            content = {each["file"]: archive.read(each["file"]) for each in manifest["tables"]}
        rows = {name: [json.loads(line) for line in lines.splitlines()] for name, lines in content.items()}

        assert set(content) >= {"profiles.patient.jsonl", "scheduling.appointment.jsonl", "organizations.user.jsonl"}
        for each in manifest["tables"]:
            assert each["sha256"] == hashlib.sha256(content[each["file"]]).hexdigest()
            assert each["rows"] == len(rows[each["file"]])
        assert [row["id"] for row in rows["profiles.patient.jsonl"]] == [cast.ana.patient.pk]
        assert "Nora" not in b"".join(content.values()).decode()
        assert "Petra" not in b"".join(content.values()).decode()

    @pytest.mark.usefixtures("committed_db")
    def test_the_gate_holds_in_the_archive_and_secrets_stay(self, cast, tmp_path):
        with within(cast.sud):
            patients.change(cast.ana.patient, by=SYSTEM, person={"email": "ana.at.home@example.org", "phone": PHONE})
        run("organization_export", organization="clinica-sud", out=tmp_path / "sud.zip")
        with zipfile.ZipFile(tmp_path / "sud.zip") as archive:
            persons = archive.read("profiles.patientperson.jsonl").decode().splitlines()
            everything = b"".join(archive.read(name) for name in archive.namelist()).decode()

        assert set(json.loads(persons[0])) == {"id", "user_id", "name"}
        assert 'password":' not in everything
        assert "token_digest" not in everything
        assert "ana.at.home" not in everything
        assert PHONE not in everything

    def test_no_file_is_written_over(self, cast, tmp_path):
        (tmp_path / "sud.zip").write_text("precious")

        with pytest.raises(CommandError):
            call_command("organization_export", organization="clinica-sud", out=tmp_path / "sud.zip")
        assert (tmp_path / "sud.zip").read_text() == "precious"
