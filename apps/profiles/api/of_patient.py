"""What hangs on one patient: `/v1/patients/{id}/...`, where the patient is found before anything else is judged."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from apps.profiles.models import Patient
from restartix.kernel import audit, clock
from restartix.kernel.api.operations import Operation, operation
from restartix.kernel.api.requests import trace_of
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import NotFound, OrganizationRequired
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import acting_for


def today(view: Resource) -> date:
    """Return the date at the caller's clinic; UTC where no clinic is chosen."""
    zone = view.organization.timezone if view.organization else "UTC"
    return clock.now().astimezone(ZoneInfo(zone)).date()


def is_in_person(view: Resource, patient: Patient) -> bool:
    """Say whether the caller is the patient themself, or acts as them."""
    user_id = view.actor.own_user_id
    return user_id is not None and patient.person.user_id == user_id


def manages(view: Resource, patient: Patient) -> bool:
    """Say whether the caller may write what the patient writes: as the patient, or as a caregiver with `manage`."""
    own = Patient.objects.own(view.actor, today=today(view), permission="manage")
    return own.filter(pk=patient.pk).exists()


def name_the_patient(view: Resource, patient: Patient) -> None:
    """Let the audit rows of a caregiver's request name the patient whom they act for (contract/profiles.md 1.4)."""
    is_caregiver = view.actor.effective_role == Role.PATIENT and not is_in_person(view, patient)
    if is_caregiver and view.actor.impersonation_id is None:
        audit.on_behalf_of(patient.pk)


def note_reading(view: Resource, patient: Patient, *, entity: str, entity_id: int | None = None) -> None:
    """Leave the audit row of reading one patient's data, whoever reads but the patient (contract/telemetry.md 1.1)."""
    if is_in_person(view, patient):
        return
    if view.organization is not None:
        audit.read(entity, entity_id, patient_id=patient.pk)
        return
    with acting_for(patient.organization_id, actor=view.actor, trace=trace_of(view.request)):  # type: ignore[arg-type]
        audit.read(entity, entity_id, patient_id=patient.pk)


class OfPatient(Resource):
    """Rows of one patient. The patient of the path is `self.patient`; one that the caller may not see is not found.

    Subclasses say in `hanging` which rows hang on the patient, and in `entity` what audit rows call one of them.
    """

    entity: ClassVar[str] = ""
    patient: Patient

    def hanging(self) -> QuerySet[Any]:
        """Return the rows of any patient; `rows` narrows them to that of the path."""
        raise NotImplementedError

    def rows(self) -> QuerySet[Any]:
        """Keep those of the patient."""
        return self.hanging().filter(patient_id=self.patient.pk)

    def has_row(self, operation: Operation) -> bool:
        """Say that the path names a row in any case: the patient."""
        return True

    def find_row(self, *, locked: bool = False) -> None:
        """Find the patient, then the row that hangs on them if the path names one.

        Raises NotFound (404), and OrganizationRequired (400) where a superadmin without one would make a row.
        """
        visible = Patient.objects.visible_to(self.actor, today=today(self)).select_related("person", "organization")
        patient = visible.filter(pk=self.kwargs["id"]).first()
        if patient is None:
            raise NotFound
        self.patient = patient
        name_the_patient(self, patient)
        if self.lookup in self.kwargs:
            super().find_row(locked=locked)
        elif self.organization is None and self.action == "create":
            raise OrganizationRequired

    def check_precondition(self) -> None:
        """Judge `If-Match` where there is a row that it could name."""
        if self.row is not None:
            super().check_precondition()

    @operation()
    def list(self) -> Any:
        """Return one page of the patient's rows, and leave the audit row of the reading."""
        note_reading(self, self.patient, entity=self.entity)
        return super().list()
