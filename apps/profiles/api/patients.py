"""Patients over HTTP. Source: contract/profiles.md 1.1-1.3, 2.1."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.organizations.services.removals import StillNeeded
from apps.profiles.api import custom_values, of_patient
from apps.profiles.api.patient_bodies import PatientBody, PatientChanges
from apps.profiles.api.patient_filters import PatientFilters
from apps.profiles.api.patient_shapes import PatientShape
from apps.profiles.errors import AlreadyPatient, NotTheDesk, ProfileNotShared
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient, PatientPersonManager
from apps.profiles.selectors import care, people
from apps.profiles.services import patients
from restartix.kernel.api.includes import joined, prefetched
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import AlreadyTaken, Forbidden, Unavailable
from restartix.kernel.roles import ADMINS, DESK, MEMBERS, Role


def _active_consents() -> QuerySet[ConsentRecord]:
    rows = ConsentRecord.objects.filter(status=ConsentStatus.ACTIVE).select_related("granted_by", "withdrawn_by")
    return rows.order_by("-granted_at", "-pk")


def _caregivers() -> QuerySet[PatientPersonManager]:
    rows: QuerySet[PatientPersonManager] = PatientPersonManager.objects.select_related("user", "created_by")
    return rows.order_by("pk")


class Patients(Resource):
    """Patients: persons and their files at the clinic."""

    serializer_class = PatientShape
    filterset_class = PatientFilters
    sortable = {"created_at": "created_at", "name": "person__name", "id": "id"}
    default_sort = "-created_at"
    location = "/v1/patients/{id}"
    includes = {
        "user": joined("person__user"),
        "consents": prefetched("consents", _active_consents, to="active_consents"),
        "managers": prefetched("managers", _caregivers, to="caregivers"),
        "custom_field_values": custom_values.of_patients.prepare,
    }
    may = {"list": MEMBERS, "create": ADMINS, "retrieve": MEMBERS, "update": MEMBERS, "destroy": ADMINS}

    def rows(self) -> QuerySet[Patient]:
        """Keep what the caller may see: staff all patients, patients their own and those they care for."""
        return Patient.objects.visible_to(self.actor, today=of_patient.today(self))

    def prepare(self, queryset: QuerySet[Patient]) -> QuerySet[Patient]:
        """Read the gate with the rows."""
        seen: QuerySet[Patient] = queryset.seen_by(self.actor, today=of_patient.today(self))  # type: ignore[attr-defined]
        return seen

    def permit(self) -> None:
        """Judge who may write what; behind the closed gate staff write nothing of a person."""
        if self.row is not None:
            of_patient.name_the_patient(self, self.row)
        if self.action == "update":
            self._permit_writing(self.sent.peek())

    def _permit_writing(self, sent: dict[str, Any]) -> None:
        role = self.actor.effective_role
        is_own = of_patient.manages(self, self.row)
        if role == Role.PATIENT and not is_own:
            raise Forbidden
        if not is_own and "person" in sent and not people.is_open(self.row):
            raise ProfileNotShared
        if not is_own and role == Role.SPECIALIST and not care.is_linked(self.row, self.actor):
            raise Forbidden("Specialists write of the patients whom they have an appointment with.")
        if "consumer_id" in sent and role not in DESK:
            raise NotTheDesk("consumer_id")

    @operation(
        body=PatientBody,
        status=201,
        errors=(AlreadyPatient, AlreadyTaken, Unavailable),
        request_example={
            "person": {"name": "Maria Ionescu", "phone": "+40721000111", "date_of_birth": "1961-04-02"},
            "consumer_id": "C-204",
        },
    )
    def create(self, body: dict[str, Any]) -> Patient:
        """Write down a patient: a new person, a removed patient who returns, or a member's person."""
        person_id = body.pop("patient_person_id", None)
        if person_id is None:
            return self._shown(patients.register(by=self.actor, **body))
        body.pop("create_account", None)
        return self._shown(patients.admit(person_id, by=self.actor, **body))

    @operation()
    def retrieve(self, row: Patient) -> Patient:
        """Return one patient, and leave the audit row of the reading."""
        of_patient.note_reading(self, row, entity="patient", entity_id=row.pk)
        return row

    @operation(
        body=PatientChanges,
        in_person_fields=("person.email", "person.phone", "person.emergency_contact_phone"),
        errors=(AlreadyTaken, NotTheDesk, ProfileNotShared),
    )
    def update(self, row: Patient, body: dict[str, Any]) -> Patient:
        """Change what was sent of the patient and of the person; lists inside `person` are replaced whole."""
        return self._shown(patients.change(row, by=self.actor, **body))

    @operation(errors=(StillNeeded,))
    def destroy(self, row: Patient) -> None:
        """Close the patient's file; the person and the history stay."""
        patients.remove(row, by=self.actor)

    def _shown(self, patient: Patient) -> Patient:
        return self.prepare(Patient.objects.filter(pk=patient.pk)).get()
