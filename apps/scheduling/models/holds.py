"""Holds: a slot kept for one visitor, for a while."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from apps.scheduling.lifecycles import HoldStatus
from restartix.kernel import clock
from restartix.kernel.tenancy import SameOrganization, TenantModel


class Hold(TenantModel):
    """A slot kept for whoever has its token. Source: contract/scheduling.md 1.5.

    `expires_at` alone says whether it is alive, by the database clock; a live row past it reads as expired everywhere.
    The token is stored as SHA-256, client and address as keyed hashes.
    """

    hold_id = models.UUIDField(unique=True)
    token_digest = models.BinaryField(max_length=32)
    status = models.CharField(max_length=8, choices=HoldStatus, default=HoldStatus.LIVE)
    template = models.ForeignKey("scheduling.AppointmentTemplate", models.CASCADE, related_name="holds")
    specialist = models.ForeignKey("profiles.Specialist", models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    created_at = models.DateTimeField()
    renewed_at = models.DateTimeField()
    stream_opened_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    max_expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    client_hash = models.BinaryField(max_length=32, null=True, blank=True)
    address_hash = models.BinaryField(max_length=32)
    appointment = models.OneToOneField(
        "scheduling.Appointment", models.SET_NULL, null=True, blank=True, related_name="booked_hold"
    )

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("template", name="hold_template_same_organization"),
            SameOrganization("appointment", name="hold_appointment_same_organization"),
            SameOrganization("specialist", name="hold_specialist_same_organization"),
            models.CheckConstraint(condition=Q(status__in=HoldStatus.values), name="hold_status_known"),
            models.CheckConstraint(condition=Q(ended_at__gt=F("started_at")), name="hold_lasts"),
            models.CheckConstraint(condition=Q(expires_at__lte=F("max_expires_at")), name="hold_capped"),
            models.CheckConstraint(
                condition=Q(status="live", finished_at=None) | (~Q(status="live") & Q(finished_at__isnull=False)),
                name="hold_finished_has_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["client_hash", "expires_at"], condition=Q(status="live"), name="hold_live_by_client"),
            models.Index(
                fields=["address_hash", "expires_at"], condition=Q(status="live"), name="hold_live_by_address"
            ),
            models.Index(fields=["expires_at"], condition=Q(status="live"), name="hold_live_by_expiry"),
            models.Index(fields=["organization", "status", "started_at"], name="hold_by_status"),
        ]

    class Privacy:
        secret = {"token_digest"}
        identifying = {"client_hash", "address_hash"}
        plain = {
            "id", "organization", "hold_id", "status", "template", "specialist", "started_at", "ended_at", "created_at",
            "renewed_at", "stream_opened_at", "expires_at", "max_expires_at", "finished_at", "appointment",
        }  # fmt: skip

    def __str__(self) -> str:
        return str(self.hold_id)

    def status_at(self, moment: datetime) -> HoldStatus:
        """Return the status that everybody is shown at `moment`."""
        if self.status == HoldStatus.LIVE and self.expires_at <= moment:
            return HoldStatus.EXPIRED
        return HoldStatus(self.status)


class HoldEventType(models.TextChoices):
    """What became of a hold, for the trail."""

    CREATED = "created"
    STREAM_OPENED = "stream_opened"
    STREAM_CLOSED = "stream_closed"
    RENEWED = "renewed"
    BOOKED = "booked"
    RELEASED = "released"
    EXPIRED = "expired"


class HoldEvent(TenantModel):
    """One line of a hold's trail; kept 90 days, the hold itself only 24 hours."""

    hold_id = models.UUIDField()
    type = models.CharField(max_length=16, choices=HoldEventType)
    at = models.DateTimeField(default=clock.now)
    client_hash = models.BinaryField(max_length=32, null=True, blank=True)
    address_hash = models.BinaryField(max_length=32, null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.CheckConstraint(condition=Q(type__in=HoldEventType.values), name="hold_event_type_known"),
        ]
        indexes = [models.Index(fields=["organization", "hold_id", "at"], name="hold_event_trail")]

    class Privacy:
        identifying = {"client_hash", "address_hash"}
        plain = {"id", "organization", "hold_id", "type", "at"}

    def __str__(self) -> str:
        return f"{self.type} {self.hold_id}"
