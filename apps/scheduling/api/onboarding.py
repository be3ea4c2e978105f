"""Taking in whoever booked, over HTTP. Source: contract/scheduling.md 3.1 (onboard), 4 (9)."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from apps.profiles.api.patient_bodies import TAKEN_BY_STAFF
from apps.profiles.models import Patient
from apps.profiles.models.consents import ConsentType
from apps.scheduling.api.appointments import AppointmentResource, named
from apps.scheduling.api.bodies import ContactChanges
from apps.scheduling.errors import ConsentRequired, PatientExists
from apps.scheduling.lifecycles import ONBOARD_OPERATION, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.candidates import candidates
from apps.scheduling.services import appointments, onboarding
from apps.scheduling.services.onboarding import Admission
from restartix.kernel.api import fields
from restartix.kernel.api.operations import operation
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.errors import AlreadyTaken, Forbidden, InvalidTransition, Unavailable
from restartix.kernel.outside import Outside
from restartix.kernel.roles import DESK, MEMBERS


class ToldConsent(Body):
    """A consent that the patient gave to the staff when they were taken in."""

    type = fields.Choice(ConsentType)
    method = fields.Choice(TAKEN_BY_STAFF)
    policy_version = fields.Text(max_length=32, required=False)


class OnboardBody(Body):
    """Whom the booking is for: a patient of the clinic, or somebody new."""

    examples = {"consents": [{"type": "telerehab_consent", "method": "paper"}]}

    patient_id = fields.Id(required=False, allow_null=True)
    contact = ContactChanges(required=False)
    create_account = fields.Boolean(required=False)
    consents = fields.ListOf(ToldConsent(), max_items=len(ConsentType), required=False)


class CandidateShape(Representation):
    """A patient who may be whoever booked, and why."""

    examples = {"patient_id": 501, "name": "Maria Ionescu", "matched_on": ["email", "name"]}

    patient_id = serializers.IntegerField(source="patient.pk")
    name = serializers.CharField(source="patient.person.name")
    matched_on = serializers.ListField(child=fields.Choice(("email", "phone", "name")))


class Onboarding(AppointmentResource):
    """Onboarding: whoever booked becomes a patient."""

    may: ClassVar = {"onboard": MEMBERS, "candidates": MEMBERS}

    def permit(self) -> None:
        """Let the assigned specialist, whatever the role, and the desk take people in."""
        if not appointments.is_assigned(self.row, self.actor) and self.actor.effective_role not in DESK:
            raise Forbidden

    @operation(body=OnboardBody, errors=(InvalidTransition, PatientExists, ConsentRequired, AlreadyTaken, Unavailable))
    def onboard(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Take in whoever booked: link or make the patient, record consents, make the forms."""
        rows = named(body, patient=Patient.objects.alive())
        admitted = onboarding.take_in(row, admission=Admission(**rows, **body), by=self.actor)
        return admitted.answered(self._shown) if isinstance(admitted, Outside) else self._shown(admitted)

    def _shown(self, appointment: Appointment) -> Appointment:
        self.included = ("forms",)
        return self.again(appointment)

    @operation(returns=CandidateShape, many=True, errors=(InvalidTransition,))
    def candidates(self, row: Appointment) -> Any:
        """List the clinic's patients who may be whoever booked, the likeliest first."""
        ONBOARD_OPERATION.check(row.status, AppointmentStatus.UPCOMING)
        return candidates(row)
