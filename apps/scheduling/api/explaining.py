"""Why a time is not offered, over HTTP: an extension of this server, for staff."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers

from apps.scheduling.domain.explaining import Code
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.explaining import Explanation, explain
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Query, Representation
from restartix.kernel.roles import STAFF


class ExplainQuery(Query):
    """Which start is asked about, and perhaps with whom."""

    start = fields.Instant()
    specialist_id = fields.Id(required=False)


class ReasonShape(Representation):
    """One rule that stands in the way."""

    examples = {"code": "off_grid", "details": {"before": "2026-12-07T07:00:00Z", "after": "2026-12-07T08:00:00Z"}}

    code = fields.Choice([code.value for code in Code])
    details = fields.Object()


class StandingShape(Representation):
    """One specialist, and why the time is not offered with them."""

    examples = {"name": "Dr. Ana Popa", "is_offered": False}

    specialist_id = serializers.IntegerField(source="specialist.pk")
    name = serializers.CharField(source="specialist.name")
    is_offered = serializers.BooleanField()
    reasons = ReasonShape(many=True)


class ExplanationShape(Representation):
    """Whether a start is offered, and with whom not, and why."""

    examples = {"is_offered": False}

    appointment_template_id = serializers.IntegerField(source="template.pk")
    start = fields.Instant()
    end = fields.Instant()
    is_offered = serializers.BooleanField()
    specialists = StandingShape(many=True, source="standings")


class Explanations(Resource):
    """Appointment templates: why a time of one is not offered."""

    tag = "Appointment Templates"
    may: ClassVar = {"explain": STAFF}

    def rows(self) -> QuerySet[AppointmentTemplate]:
        """Return what the caller may see."""
        return AppointmentTemplate.objects.visible_to(self.actor)

    @operation(query=ExplainQuery, returns=ExplanationShape, etag=False, is_extension=True)
    def explain(self, row: AppointmentTemplate, query: dict[str, Any]) -> Explanation:
        """Explain why a time is not offered."""
        return explain(
            row,
            start=query["start"],
            now=clock.now(),
            actor=self.actor,
            specialist_id=query.get("specialist_id"),
        )
