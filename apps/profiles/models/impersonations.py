"""Impersonations: a member of staff acting as a patient for an hour, and the keys that sign their tokens."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from restartix.kernel import clock
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.tenancy import SameOrganization, TenantModel


class ImpersonatorRole(models.TextChoices):
    """As what the member of staff began."""

    ADMIN = "admin"
    SUPERADMIN = "superadmin"


class ImpersonationEnd(models.TextChoices):
    """Why an impersonation is over."""

    EXPIRED = "expired"
    ENDED = "ended"
    MEMBERSHIP_ENDED = "membership_ended"
    BLOCKED = "blocked"


class Impersonation(TenantModel):
    """One hour in which `actor` may act as the patient; looked up at every request that is made with its token.

    Rows are never deleted. A trigger ends them with the membership of either side, or when either is blocked
    (migrations/_impersonation.py). Source: contract/profiles.md 1.6.
    """

    patient = models.ForeignKey("profiles.Patient", models.PROTECT, related_name="impersonations")
    actor = models.ForeignKey("organizations.User", models.PROTECT, related_name="+")
    actor_role = models.CharField(max_length=12, choices=ImpersonatorRole)
    reason = models.CharField(max_length=500)
    started_at = models.DateTimeField(default=clock.now, editable=False)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=16, choices=ImpersonationEnd, null=True, blank=True)
    request_count = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("patient", name="impersonation_patient_same_organization"),
            models.CheckConstraint(
                condition=Q(actor_role__in=ImpersonatorRole.values), name="impersonation_actor_role_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_reason=None) | Q(ended_reason__in=ImpersonationEnd.values),
                name="impersonation_ended_reason_known",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_reason=None) | Q(ended_at__isnull=False, ended_reason__isnull=False),
                name="impersonation_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-started_at", "-id"], name="impersonation_newest"),
            models.Index(fields=["patient", "-started_at"], name="impersonation_of_patient"),
            models.Index(fields=["actor", "-started_at"], name="impersonation_by_actor"),
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="impersonation_open"),
        ]

    class Privacy:
        identifying = {"patient", "actor"}
        clinical = {"reason"}
        plain = {
            "id", "organization", "actor_role", "started_at", "expires_at", "ended_at", "ended_reason", "request_count",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.actor} · {self.patient}"

    def end_at(self, now: datetime) -> tuple[datetime | None, str | None]:
        """Return when and why it is over; an hour that has run out counts before the sweeper has written it down."""
        if self.ended_at is None and self.expires_at <= now:
            return self.expires_at, ImpersonationEnd.EXPIRED
        return self.ended_at, self.ended_reason


class SigningKey(models.Model):
    """A key pair of this server's own, the private half sealed; the newest signs, all are believed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    public_key = models.TextField()
    private_key = SealedTextField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Privacy:
        secret = {"private_key"}
        plain = {"id", "public_key", "created_at"}

    def __str__(self) -> str:
        return str(self.pk)
