"""A patient's appointments, and entries of the waiting list, in what the patient takes along.

Source: contract/profiles.md 3 (9).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Lower

from apps.profiles.api import exports
from apps.profiles.models import Patient
from apps.scheduling.api.shapes import AppointmentShape
from apps.scheduling.api.waitlist import WaitlistEntryView
from apps.scheduling.models import Appointment, WaitlistEntry


def register() -> None:
    """Fill the part; called once at start."""
    exports.parts["appointments"] = _appointments
    exports.besides["waitlist_entries"] = _waiting


def _appointments(patient: Patient, context: Mapping[str, Any]) -> list[Any]:
    rows = Appointment.objects.alive().filter(patient=patient).order_by("started_at", "pk")
    rows = rows.select_related("specialist", "patient__person", "cancelled_by", "organization")
    return list(AppointmentShape(rows, many=True, context=dict(context)).data)


def _waiting(patient: Patient, context: Mapping[str, Any]) -> list[Any]:
    """Return the entries with one of the person's addresses, which is all that an entry knows a person by."""
    person = patient.person
    emails = {each.lower() for each in (person.email, person.user.email if person.user else None) if each}
    rows = WaitlistEntry.objects.alias(address=Lower("contact_email")).filter(address__in=emails)
    return list(WaitlistEntryView(rows.order_by("created_at", "pk"), many=True, context=dict(context)).data)
