"""Custom field values of patients and specialists over HTTP. Source: contract/profiles.md 2.1, 2.2."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.forms.api.bodies import ProfileBody
from apps.forms.api.shapes import PatientProfile, SpecialistProfile
from apps.forms.models import EntityType
from apps.forms.selectors.values import sees_private
from apps.forms.services import values
from apps.profiles.api import of_patient
from apps.profiles.errors import SpecialistDeleted
from apps.profiles.models import Patient, Specialist
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import ADMINS, MEMBERS, STAFF, Role


class PatientProfiles(Resource):
    """Patient profiles: what the clinic asks of its patients by fields of its own."""

    serializer_class = PatientProfile
    may = {"retrieve": MEMBERS, "update": MEMBERS}

    def rows(self) -> QuerySet[Patient]:
        """Keep the patients that the caller may see."""
        return Patient.objects.visible_to(self.actor, today=of_patient.today(self))

    def prepare(self, queryset: QuerySet[Patient]) -> QuerySet[Patient]:
        """Join the person, whose reading of the own profile is nobody's business."""
        return queryset.select_related("person")

    def permit(self) -> None:
        """Let staff write, and of the others patients and those who care for them with `manage`."""
        of_patient.name_the_patient(self, self.row)
        is_patient = self.actor.effective_role == Role.PATIENT
        if self.action == "update" and is_patient and not of_patient.manages(self, self.row):
            raise Forbidden

    @operation()
    def retrieve(self, row: Patient) -> Patient:
        """Return every field with the patient's value, and leave the audit row of the reading."""
        of_patient.note_reading(self, row, entity="patient", entity_id=row.pk)
        return row

    @operation(body=ProfileBody, sent_only=False)
    def update(self, row: Patient, body: dict[str, Any]) -> Patient:
        """Set the values that were sent, all of them or none; an empty one clears."""
        private = sees_private(self.actor, EntityType.PATIENT)
        values.write_patient(row, body["values"], by=self.actor, private=private)
        return row


class SpecialistProfiles(Resource):
    """Specialist profiles: what the clinic asks of its specialists by fields of its own."""

    serializer_class = SpecialistProfile
    may = {"retrieve": STAFF, "update": STAFF}

    def rows(self) -> QuerySet[Specialist]:
        """Keep the specialists that the caller may read."""
        return Specialist.objects.visible_to(self.actor)

    def permit(self) -> None:
        """Let admins write every profile, specialists their own."""
        is_self = self.row.user_id is not None and self.row.user_id == self.actor.user_id
        if self.action == "update" and not is_self and self.actor.effective_role not in ADMINS:
            raise Forbidden

    @operation(body=ProfileBody, sent_only=False, errors=(SpecialistDeleted,))
    def update(self, row: Specialist, body: dict[str, Any]) -> Specialist:
        """Set the values that were sent, all of them or none; an empty one clears."""
        private = sees_private(self.actor, EntityType.SPECIALIST)
        values.write_specialist(row, body["values"], by=self.actor, private=private)
        return row
