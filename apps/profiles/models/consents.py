"""Consents: what a patient agreed to at one clinic, and when it ended."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.organizations.models import ConsentType
from apps.profiles.lifecycles import ConsentStatus
from restartix.kernel import clock
from restartix.kernel.tenancy import SameOrganization, TenantModel

__all__ = ["ConsentMethod", "ConsentRecord", "ConsentType"]


class ConsentMethod(models.TextChoices):
    """How the agreement was given."""

    ELECTRONIC = "electronic"
    FORM = "form"
    PAPER = "paper"
    VERBAL = "verbal"


class ConsentRecord(TenantModel):
    """One agreement; only its withdrawal may be added later, once (a trigger refuses everything else)."""

    patient = models.ForeignKey("profiles.Patient", models.PROTECT, related_name="consents")
    type = models.CharField(max_length=20, choices=ConsentType)
    status = models.CharField(max_length=10, choices=ConsentStatus, default=ConsentStatus.ACTIVE)
    policy_version = models.CharField(max_length=32)
    method = models.CharField(max_length=10, choices=ConsentMethod)
    form_id = models.BigIntegerField(null=True, blank=True)
    granted_at = models.DateTimeField(default=clock.now)
    granted_by = models.ForeignKey("organizations.User", models.PROTECT, null=True, blank=True, related_name="+")
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=500, null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey("organizations.User", models.PROTECT, null=True, blank=True, related_name="+")
    withdrawal_note = models.CharField(max_length=500, null=True, blank=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("patient", name="consent_patient_same_organization"),
            models.UniqueConstraint(
                fields=["patient", "type"], condition=Q(status="active"), name="consent_active_once"
            ),
            models.CheckConstraint(condition=Q(type__in=ConsentType.values), name="consent_type_known"),
            models.CheckConstraint(condition=Q(status__in=ConsentStatus.values), name="consent_status_known"),
            models.CheckConstraint(condition=Q(method__in=ConsentMethod.values), name="consent_method_known"),
            models.CheckConstraint(
                condition=Q(status="active", withdrawn_at=None) | Q(status="withdrawn", withdrawn_at__isnull=False),
                name="consent_withdrawn_has_moment",
            ),
        ]

    class Privacy:
        identifying = {"ip_address", "user_agent"}
        clinical = {"type", "status", "withdrawal_note"}
        plain = {
            "id", "organization", "patient", "policy_version", "method", "form_id", "granted_at", "granted_by",
            "withdrawn_at", "withdrawn_by",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.type} ({self.status})"
