"""API keys: a clinic's keys for outside services, sealed for their clinic and service."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from restartix.kernel.crypto import BoundSecretField
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import TenantModel


class Service(models.TextChoices):
    """Outside services that a clinic may have a key for."""

    DAILY = "daily"
    AWS_S3 = "aws_s3", "AWS S3"
    BUNNY_STREAM = "bunny_stream"
    STRIPE = "stripe"
    TWILIO = "twilio"
    SMTP = "smtp", "SMTP"
    CRM = "crm", "CRM"
    EHR = "ehr", "EHR"


class ApiKey(Timestamped, TenantModel):
    """A clinic's key for one outside service; nobody reads it but the code that calls the service.

    Source: contract/organizations.md 1.5.
    """

    service = models.CharField(max_length=16, choices=Service)
    title = models.CharField(max_length=100, null=True, blank=True)
    api_key = BoundSecretField(kind="api_key", bound_to=("organization_id", "service"), editable=False)
    last4 = models.CharField(max_length=4, null=True, editable=False)
    created_by = models.ForeignKey(
        "organizations.User", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    class Meta(TenantModel.Meta):
        verbose_name = "API key"
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "service"], name="api_key_once_for_service"),
            models.CheckConstraint(condition=Q(service__in=Service.values), name="api_key_service_known"),
        ]

    class Privacy:
        secret: ClassVar[Any] = {"api_key"}
        plain: ClassVar[Any] = {
            "id", "organization", "service", "title", "last4", "created_by", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return str(self.get_service_display())
