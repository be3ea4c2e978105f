"""Impersonation over HTTP. Source: contract/profiles.md 1.6, 2.1, 3 (extensions 7 and 8)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from apps.profiles.api.of_patient import OfPatient, manages, today
from apps.profiles.errors import OwnAccountAsPatient, PatientBlocked, PatientHasNoAccount
from apps.profiles.models import Impersonation, Patient
from apps.profiles.models.impersonations import ImpersonationEnd, ImpersonatorRole
from apps.profiles.selectors.impersonations import check_pace
from apps.profiles.services import impersonations
from apps.profiles.services.impersonations import LONGEST_REASON, SHORTEST_REASON, Started
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.operations import operation
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import ADMINS, MEMBERS


class ReasonBody(Body):
    """Why somebody acts as the patient; the patient reads it."""

    examples = {"reason": "The patient cannot find the form on the phone"}

    reason = fields.Text(min_length=SHORTEST_REASON, max_length=LONGEST_REASON)


class ImpersonatorRef(Representation):
    """The member of staff, with the role of the start."""

    examples = {"id": 12, "name": "Ion Popescu"}

    id = fields.Id(source="actor.id")
    name = fields.Text(source="actor.name", max_length=200)
    role = fields.Choice(ImpersonatorRole, source="actor_role")


class ImpersonationShape(Representation):
    """One hour in which somebody could act as the patient."""

    examples = {"id": 17, "patient_id": 501, "reason": "The patient cannot find the form on the phone"}
    volatile = ("request_count",)

    id = fields.Id()
    patient_id = fields.Id()
    actor = ImpersonatorRef(source="*")
    reason = fields.Text(min_length=SHORTEST_REASON, max_length=LONGEST_REASON)
    started_at = fields.Instant()
    expires_at = fields.Instant()
    ended_at = fields.Instant(allow_null=True)
    ended_reason = fields.Choice(ImpersonationEnd, allow_null=True)
    request_count = fields.Integer()

    def to_representation(self, instance: Impersonation) -> dict[str, Any]:
        """Write an hour that has run out as ended, whether the sweeper has come by or not."""
        instance.ended_at, instance.ended_reason = instance.end_at(clock.now())
        data: dict[str, Any] = super().to_representation(instance)
        return data


class PatientRef(Representation):
    """The patient who is acted for."""

    examples = {"id": 501, "name": "Maria Ionescu"}

    id = fields.Id()
    name = fields.Text(source="person.name", max_length=200)


class StartedShape(Representation):
    """A new impersonation; the token is told here and nowhere else."""

    examples = {"impersonation_id": 17, "token": "eyJhbGciOiJSUzI1NiIs...", "token_type": "Bearer", "user_id": 77}

    impersonation_id = fields.Id(source="impersonation.id")
    token = fields.Text(max_length=8192)
    token_type = serializers.SerializerMethodField()
    user_id = fields.Id(source="impersonation.patient.person.user_id")
    patient = PatientRef(source="impersonation.patient")
    expires_at = fields.Instant(source="impersonation.expires_at")

    def get_token_type(self, started: Started) -> str:
        """Return how the token is sent."""
        return "Bearer"


class Impersonations(OfPatient):
    """Impersonations: when staff could act as a patient, and why."""

    serializer_class = ImpersonationShape
    sortable = ("started_at", "id")
    default_sort = "-started_at"
    lookup = "impersonation_id"
    lookup_column = "pk"
    entity = "impersonation"
    may = {"list": MEMBERS, "start": ADMINS, "end": MEMBERS}

    def hanging(self) -> QuerySet[Impersonation]:
        """Return all: whoever sees the patient may know that they exist."""
        return Impersonation.objects.select_related("actor")

    def find_row(self, *, locked: bool = False) -> None:
        """Find the patient, and the impersonation if the path names one; a new one is the patient's clinic's."""
        super().find_row(locked=locked)
        if self.action == "start":
            self.row = self.patient

    def check_precondition(self) -> None:
        """Judge `If-Match` where there is an impersonation that it could name."""
        if self.action != "start":
            super().check_precondition()

    def permit(self) -> None:
        """Keep the list for the patient and admins; let also the one who acts end it; count beginnings."""
        if self.action == "start":
            check_pace(self.actor)
        elif self.actor.effective_role not in ADMINS and not self._is_theirs():
            raise Forbidden

    def _is_theirs(self) -> bool:
        if self.action == "end":
            return manages(self, self.patient) or self.row.actor_id == self.actor.user_id
        own = Patient.objects.own(self.actor, today=today(self))
        return own.filter(pk=self.patient.pk).exists()

    @operation(
        body=ReasonBody,
        returns=StartedShape,
        status=201,
        in_person=True,
        errors=(PatientHasNoAccount, PatientBlocked, OwnAccountAsPatient),
    )
    def start(self, body: dict[str, Any]) -> Started:
        """Act as the patient for an hour; the patient is told by e-mail and sees it in the list."""
        return impersonations.start(self.patient, by=self.actor, **body)

    @operation()
    def end(self, row: Impersonation) -> Impersonation:
        """End an impersonation now; one that is over stays as it is."""
        return impersonations.end(row, by=self.actor)
