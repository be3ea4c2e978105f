"""Everything that one clinic keeps of one patient, as one document for the patient.

Higher apps fill their parts in their `AppConfig.ready`: `exports.parts["appointments"] = appointments_of`. A part is
written for the patient, whoever asks: no private field, no note of the staff.
Source: contract/profiles.md 3 (extension 9); articles 15 and 20 of the GDPR.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.db.models import QuerySet

from apps.profiles.api import custom_values, of_patient
from apps.profiles.api.custom_values import ProfileValue
from apps.profiles.api.impersonations import ImpersonationShape
from apps.profiles.api.patient_shapes import CaregiverShape, ConsentShape, PatientShape, PersonShape
from apps.profiles.models import ConsentRecord, Patient, PatientPersonManager
from apps.profiles.selectors.impersonations import of_patient as impersonations_of
from restartix.kernel import audit, clock
from restartix.kernel.api import fields
from restartix.kernel.api.envelope import Answer
from restartix.kernel.api.operations import operation
from restartix.kernel.api.requests import trace_of
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Representation
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import ADMINS, MEMBERS, Role
from restartix.kernel.tenancy import Actor, acting_for

#: Takes the patient and what representations ask for (`actor` is the patient); gives JSON values.
Part = Callable[[Patient, Mapping[str, Any]], list[Any]]


def _nothing(patient: Patient, context: Mapping[str, Any]) -> list[Any]:
    return []


#: What apps above this one keep of a patient.
parts: dict[str, Part] = dict.fromkeys(("appointments", "forms", "treatment_plans", "documents", "orders"), _nothing)
#: What they keep besides, under the person's addresses: it goes into the files that commands write, for the document of
#: the API has the keys of the contract and no others.
besides: dict[str, Part] = {}


def document_of(patient: Patient) -> dict[str, Any]:
    """Return the document of a patient whom `PatientQuerySet.seen_by` has given: that decides about the person."""
    context: dict[str, Any] = {"actor": audience_of(patient), "include": ()}
    return {
        "generated_at": clock.now(),
        "patient": PatientShape(patient, context=context).data,
        "person": PersonShape(patient, context=context).data,
        "consents": ConsentShape(_consents(patient), many=True, context=context).data,
        "managers": CaregiverShape(_managers(patient), many=True, context=context).data,
        "impersonations": ImpersonationShape(
            impersonations_of(patient).order_by("-started_at", "-pk"), many=True, context=context
        ).data,
        "profile_values": custom_values.of_patients.values(patient, context),
        **{name: part(patient, context) for name, part in parts.items()},
    }


def audience_of(patient: Patient) -> Actor:
    """Return the patient as the reader, whoever asks."""
    user_id = patient.person.user_id
    return Actor(
        kind="user", id=user_id, role=Role.PATIENT, organization_id=patient.organization_id, patient_id=patient.pk
    )


def prepared(patients: QuerySet[Patient], *, by: Actor, today: date) -> QuerySet[Patient]:
    """Return the patients with everything that `document_of` needs of the rows themselves."""
    seen: Any = patients
    return custom_values.of_patients.prepare(seen.seen_by(by, today=today))


def _consents(patient: Patient) -> QuerySet[ConsentRecord]:
    rows = ConsentRecord.objects.filter(patient=patient).order_by("granted_at", "pk")
    return rows.select_related("patient__person", "patient__organization", "granted_by", "withdrawn_by")


def _managers(patient: Patient) -> QuerySet[PatientPersonManager]:
    rows: QuerySet[PatientPersonManager] = PatientPersonManager.objects.filter(patient=patient)
    return rows.select_related("user", "created_by").order_by("valid_from", "pk")


class PatientExport(Representation):
    """Everything that the clinic keeps of the patient; the person is behind the gate for the clinic's admins."""

    generated_at = fields.Instant()
    patient = PatientShape()
    person = PersonShape(source="*")
    consents = ConsentShape(many=True)
    managers = CaregiverShape(many=True)
    impersonations = ImpersonationShape(many=True)
    profile_values = ProfileValue(many=True)
    appointments = fields.ListOf(fields.Object())
    forms = fields.ListOf(fields.Object())
    treatment_plans = fields.ListOf(fields.Object())
    documents = fields.ListOf(fields.Object())
    orders = fields.ListOf(fields.Object())


class Exports(Resource):
    """Patients: persons and their files at the clinic."""

    may = {"export": MEMBERS}

    def rows(self) -> QuerySet[Patient]:
        """Keep the patients whom the caller may see."""
        visible = Patient.objects.visible_to(self.actor, today=of_patient.today(self))
        return prepared(visible, by=self.actor, today=of_patient.today(self))

    def permit(self) -> None:
        """Let the patient take the data along, caregivers with `manage`, and admins; nobody else of the staff."""
        of_patient.name_the_patient(self, self.row)
        if self.actor.effective_role not in ADMINS and not of_patient.manages(self, self.row):
            raise Forbidden

    @operation(
        returns=PatientExport,
        is_bare=True,
        etag=False,
        in_person=True,
        limits=(Limit("patient_export", "5/d", by=lambda kwargs: f"patient:{kwargs['id']}"),),
    )
    def export(self, row: Patient) -> Answer:
        """Take everything along that the clinic keeps of the patient, as a file."""
        with acting_for(row.organization_id, actor=self.actor, trace=trace_of(self.request)):  # type: ignore[arg-type]
            audit.note("EXPORT", "patient", row.pk, patient_id=row.pk)
            document = document_of(row)
        name = f"patient-{row.pk}-{document['generated_at']:%Y-%m-%d}.json"
        return Answer(document, headers={"Content-Disposition": f'attachment; filename="{name}"'})
