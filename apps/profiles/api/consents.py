"""A patient's consents over HTTP. Source: contract/profiles.md 1.5, 3 (extensions 1-3)."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.profiles.api.of_patient import OfPatient, manages
from apps.profiles.api.patient_bodies import TAKEN_BY_STAFF, ConsentBody, WithdrawalBody
from apps.profiles.api.patient_filters import ConsentFilters
from apps.profiles.api.patient_shapes import ConsentShape
from apps.profiles.models import ConsentRecord
from apps.profiles.models.consents import ConsentMethod
from apps.profiles.services import consents
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.errors import Forbidden, Invalid, InvalidTransition
from restartix.kernel.roles import MEMBERS, STAFF


class Consents(OfPatient):
    """Consents: what a patient agreed to, at this clinic."""

    serializer_class = ConsentShape
    filterset_class = ConsentFilters
    sortable = ("granted_at",)
    default_sort = "-granted_at"
    lookup = "consent_id"
    lookup_column = "pk"
    entity = "consent"
    may = {"list": MEMBERS, "create": MEMBERS, "withdraw": MEMBERS}

    def hanging(self) -> QuerySet[ConsentRecord]:
        """Return all: whoever sees the patient sees what they agreed to."""
        return ConsentRecord.objects.all()

    def prepare(self, queryset: QuerySet[ConsentRecord]) -> QuerySet[ConsentRecord]:
        """Join what a consent names."""
        return queryset.select_related("patient__person", "patient__organization", "granted_by", "withdrawn_by")

    def permit(self) -> None:
        """Let patients and caregivers with `manage` write, and staff."""
        if self.action != "list" and not self._is_staff and not self._is_own:
            raise Forbidden

    @property
    def _is_staff(self) -> bool:
        return self.actor.effective_role in STAFF

    @property
    def _is_own(self) -> bool:
        return manages(self, self.patient)

    @operation(body=ConsentBody, status=201, also=(200,), in_person=True)
    def create(self, body: dict[str, Any]) -> Answered:
        """Record a consent; an active one of the same type and version is left as it is, with 200."""
        self._check_terms(body)
        granted = consents.grant(patient=self.patient, by=self.actor, **body)
        record = self.prepare(ConsentRecord.objects.filter(pk=granted.record.pk)).get()
        return Answered(record, status=201 if granted.is_new else 200)

    def _check_terms(self, body: dict[str, Any]) -> None:
        """Fill in how the consent was given, and raise Invalid (422) for what the caller cannot say of it."""
        methods = (*([ConsentMethod.ELECTRONIC] if self._is_own else []), *(TAKEN_BY_STAFF if self._is_staff else ()))
        if "method" not in body and ConsentMethod.ELECTRONIC not in methods:
            raise Invalid({"method": ["required"]})
        body.setdefault("method", ConsentMethod.ELECTRONIC)
        if body["method"] not in methods:
            raise Invalid({"method": [f"one of {', '.join(methods)} is expected"]})
        if "granted_at" in body and body["method"] == ConsentMethod.ELECTRONIC:
            raise Invalid({"granted_at": ["unknown field"]})

    @operation(body=WithdrawalBody, in_person=True, errors=(InvalidTransition,))
    def withdraw(self, row: ConsentRecord, body: dict[str, Any]) -> ConsentRecord:
        """End a consent, with effect from the next request on."""
        withdrawn = consents.withdraw(row, by=self.actor, for_patient=not self._is_own, **body)
        return self.prepare(ConsentRecord.objects.filter(pk=withdrawn.pk)).get()
