"""Claims: every occupied stretch of a specialist's time, the one guard against double booking."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from restartix.kernel.tenancy import SameOrganization, TenantModel

PERIOD = Func(
    F("starts_at"), F("ends_at"), RangeBoundary(), function="TSTZRANGE", output_field=DateTimeRangeField()
)  # [starts_at, ends_at)


class Claim(TenantModel):
    """A stretch of one specialist's time, the gap after it included, owned by a hold or by an appointment.

    Holds and appointments both take time by inserting here, so no interleaving of requests, processes,
    back-office edits or SQL can book twice. Source: contract/scheduling.md 1.4.
    """

    specialist = models.ForeignKey("profiles.Specialist", models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    hold = models.OneToOneField("scheduling.Hold", models.CASCADE, null=True, blank=True, related_name="claim")
    appointment = models.OneToOneField(
        "scheduling.Appointment", models.CASCADE, null=True, blank=True, related_name="claim"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("specialist", name="claim_specialist_same_organization"),
            SameOrganization("hold", name="claim_hold_same_organization"),
            SameOrganization("appointment", name="claim_appointment_same_organization"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="claim_lasts"),
            models.CheckConstraint(
                condition=Q(hold=None, appointment__isnull=False) | Q(hold__isnull=False, appointment=None),
                name="claim_has_one_owner",
            ),
            ExclusionConstraint(
                name="claim_specialist_free",
                expressions=[("specialist", RangeOperators.EQUAL), (PERIOD, RangeOperators.OVERLAPS)],
            ),
        ]
        indexes = [models.Index(fields=["organization", "specialist", "starts_at"], name="claim_by_start")]

    class Privacy:
        plain = {"id", "organization", "specialist", "starts_at", "ends_at", "hold", "appointment"}

    def __str__(self) -> str:
        return f"{self.specialist_id} {self.starts_at:%Y-%m-%d %H:%M}"
