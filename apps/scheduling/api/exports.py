"""A patient's appointments in the document that the patient takes along. Source: contract/profiles.md 3 (9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.profiles.api import exports
from apps.profiles.models import Patient
from apps.scheduling.api.shapes import AppointmentShape
from apps.scheduling.models import Appointment


def register() -> None:
    """Fill the part; called once at start."""
    exports.parts["appointments"] = _appointments


def _appointments(patient: Patient, context: Mapping[str, Any]) -> list[Any]:
    rows = Appointment.objects.alive().filter(patient=patient).order_by("started_at", "pk")
    rows = rows.select_related("specialist", "patient__person", "cancelled_by", "organization")
    return list(AppointmentShape(rows, many=True, context=dict(context)).data)
