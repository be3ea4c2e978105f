"""Domains: the host names of clinics' own that lead to them, each proven by a TXT record."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.organizations.lifecycles import DomainStatus
from apps.organizations.querysets import DomainManager
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import TenantModel


class DomainKind(models.TextChoices):
    """Which front end a domain serves."""

    CLINIC = "clinic"
    PORTAL = "portal"


class DomainError(models.TextChoices):
    """Why a check was not passed."""

    RECORD_MISSING = "record_missing", "No record"
    RECORD_MISMATCH = "record_mismatch", "Another value"
    NXDOMAIN = "nxdomain", "No such name"


class Domain(Timestamped, TenantModel):
    """A clinic's own domain, proven by a TXT record. Source: contract/organizations.md 1.4."""

    domain = models.CharField(max_length=253)
    kind = models.CharField(max_length=8, choices=DomainKind)
    status = models.CharField(max_length=8, choices=DomainStatus, default=DomainStatus.PENDING)
    record_value = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True, blank=True)
    last_checked_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=16, choices=DomainError, null=True, blank=True)
    #: TXT values that the last check saw, at most ten, shortened.
    found = models.JSONField(default=list, blank=True, editable=False)
    #: Daily checks in a row that a verified domain did not pass.
    failed_checks = models.PositiveSmallIntegerField(default=0, editable=False)

    objects: ClassVar[DomainManager] = DomainManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "domain"], name="domain_once_in_organization"),
            # over the whole platform: of two organizations that verify at once exactly one wins
            models.UniqueConstraint(fields=["domain"], condition=Q(status="verified"), name="domain_verified_once"),
            models.CheckConstraint(condition=Q(kind__in=DomainKind.values), name="domain_kind_known"),
            models.CheckConstraint(condition=Q(status__in=DomainStatus.values), name="domain_status_known"),
            models.CheckConstraint(
                condition=Q(last_error=None) | Q(last_error__in=DomainError.values), name="domain_error_known"
            ),
        ]

    class Privacy:
        plain = {
            "id", "organization", "domain", "kind", "status", "record_value", "verified_at", "last_checked_at",
            "last_error", "found", "failed_checks", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.domain

    @property
    def record_name(self) -> str:
        """Where the TXT record has to stand."""
        return f"_restartix-verify.{self.domain}"
