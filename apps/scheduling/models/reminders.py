"""Reminders: which start of which appointment the patient has been reminded of."""

from __future__ import annotations

from django.db import models

from restartix.kernel import clock
from restartix.kernel.tenancy import SameOrganization, TenantModel


class AppointmentReminder(TenantModel):
    """A reminder of one start of an appointment: there is never a second one. Source: contract/scheduling.md 4."""

    appointment = models.ForeignKey("scheduling.Appointment", models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    at = models.DateTimeField(default=clock.now)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("appointment", name="reminder_appointment_same_organization"),
            models.UniqueConstraint(fields=["appointment", "started_at"], name="reminder_once"),
        ]

    class Privacy:
        plain = {"id", "organization", "appointment", "started_at", "at"}

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.started_at:%Y-%m-%d %H:%M}"
