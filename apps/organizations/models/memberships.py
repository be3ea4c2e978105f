"""Memberships: who belongs to which clinic, as what."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from apps.organizations.lifecycles import MembershipStatus
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import TenantManager, TenantModel


class MembershipRole(models.TextChoices):
    """What a person is in one clinic; `superadmin` is a flag of the user, not a role."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    CUSTOMER_SUPPORT = "customer_support"
    ADMIN = "admin"


class Membership(Timestamped, TenantModel):
    """A user's part in one organization. Source: contract/organizations.md 1.2."""

    user = models.ForeignKey("organizations.User", models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=16, choices=MembershipRole)
    status = models.CharField(max_length=8, choices=MembershipStatus, default=MembershipStatus.ACTIVE)
    created_by = models.ForeignKey("organizations.User", models.SET_NULL, null=True, blank=True, related_name="+")

    objects: ClassVar[models.Manager[Self]] = TenantManager()
    #: Memberships of all organizations: row-level security shows users their own, whichever organization is active.
    everywhere: ClassVar[models.Manager[Self]] = models.Manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["user", "organization"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=MembershipRole.values), name="membership_role_known"),
            models.CheckConstraint(condition=Q(status__in=MembershipStatus.values), name="membership_status_known"),
        ]
        indexes = [models.Index(fields=["organization", "role", "status"], name="membership_by_role")]

    class Privacy:
        identifying = {"user"}
        plain = {"id", "organization", "role", "status", "created_by", "created_at", "updated_at"}

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"
