"""A patient's caregivers over HTTP. Source: contract/profiles.md 1.4, 3 (extensions 4-6)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.profiles.api.of_patient import OfPatient, is_in_person
from apps.profiles.api.patient_bodies import CaregiverBody
from apps.profiles.api.patient_filters import CaregiverFilters
from apps.profiles.api.patient_shapes import CaregiverShape
from apps.profiles.errors import CaresAlready
from apps.profiles.models import PatientPersonManager
from apps.profiles.services import caregivers
from restartix.kernel.api.operations import operation
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import DESK, MEMBERS


class Caregivers(OfPatient):
    """Caregivers: who may look at a patient's data or act for them, at this clinic."""

    serializer_class = CaregiverShape
    filterset_class = CaregiverFilters
    sortable = ("id", "created_at", "valid_from")
    default_sort = "id"
    lookup = "manager_id"
    lookup_column = "pk"
    entity = "patient_person_manager"
    may = {"list": MEMBERS, "create": MEMBERS, "destroy": MEMBERS}

    def hanging(self) -> QuerySet[PatientPersonManager]:
        """Return all, those that are over too."""
        return PatientPersonManager.objects.all()

    def prepare(self, queryset: QuerySet[PatientPersonManager]) -> QuerySet[PatientPersonManager]:
        """Join the users."""
        return queryset.select_related("user", "created_by")

    def permit(self) -> None:
        """Let the patient, the desk and admins appoint and end; caregivers end their own link."""
        if self.action == "list":
            return
        is_leaving = self.action == "destroy" and self.row.user_id == self.actor.user_id
        if self.actor.effective_role not in DESK and not is_leaving and not is_in_person(self, self.patient):
            raise Forbidden

    @operation(
        body=CaregiverBody,
        status=201,
        in_person=True,
        errors=(CaresAlready,),
        request_example={"email": "radu.pop@example.org", "relation": "child", "permissions": "view"},
    )
    def create(self, body: dict[str, Any]) -> PatientPersonManager:
        """Let a user care for the patient; the patient is written to."""
        link = caregivers.appoint(self.patient, by=self.actor, **body)
        return self.prepare(PatientPersonManager.objects.filter(pk=link.pk)).get()

    @operation(in_person=True)
    def destroy(self, row: PatientPersonManager) -> None:
        """End the caregiver's link now; the row is kept."""
        caregivers.end(row, by=self.actor)
