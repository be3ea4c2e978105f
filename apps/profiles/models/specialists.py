"""Specialists: who treats, in what, and during which hours."""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.profiles.querysets import SpecialistManager, SpecialtyManager
from restartix.kernel import clock
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantModel

#: A licence is `expiring` this many days before its last one.
EXPIRING_DAYS = 60
#: How many days before the last one of a licence the admins are told, each once.
ALERT_DAYS = (60, 30, 7, 0)


class LicenseStatus(models.TextChoices):
    """How a licence stands today."""

    NONE = "none"
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"


class Specialty(Timestamped, TenantModel):
    """A field of work that a clinic offers. Source: contract/profiles.md 1.9."""

    title = models.CharField(max_length=120)
    slug = models.CharField(max_length=80)

    objects: ClassVar[SpecialtyManager] = SpecialtyManager()

    class Meta(TenantModel.Meta):
        verbose_name_plural = "specialties"
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["organization", "slug"], name="specialty_slug_free"),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9-]{2,80}$"), name="specialty_slug_well_formed"),
        ]

    class Privacy:
        plain = {"id", "organization", "title", "slug", "created_at", "updated_at"}

    def __str__(self) -> str:
        return self.title


class Specialist(Timestamped, TenantModel):
    """Somebody who treats patients at one clinic. Source: contract/profiles.md 1.7, 1.8.

    The hours are one document in the row (`weekly`, `overrides`), read and replaced as a whole: one audit row holds the
    old and the new one, and slots need a single read.
    """

    user = models.ForeignKey("organizations.User", models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=100, null=True, blank=True)
    description = models.TextField(max_length=5000, null=True, blank=True)
    slug = models.CharField(max_length=80)
    avatar = models.UUIDField(null=True, blank=True, editable=False)
    signature = models.UUIDField(null=True, blank=True, editable=False)
    scheduling_timezone = models.CharField(max_length=64, null=True, blank=True)
    scheduling_active = models.BooleanField(default=False)
    weekly = models.JSONField(default=list, blank=True)
    overrides = models.JSONField(default=list, blank=True)
    availability_updated_at = models.DateTimeField(default=clock.now, editable=False)
    license_number = models.CharField(max_length=50, null=True, blank=True)
    license_issuing_body = models.CharField(max_length=100, null=True, blank=True)
    license_issued_on = models.DateField(null=True, blank=True)
    license_expires_on = models.DateField(null=True, blank=True)
    #: The last alert that the admins had: for which expiry, and how many days before it (60, 30, 7, 0).
    license_alerted_for = models.DateField(null=True, blank=True, editable=False)
    license_alerted_days = models.SmallIntegerField(null=True, blank=True, editable=False)
    external_reference = models.CharField(max_length=100, null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    specialties = models.ManyToManyField(Specialty, through="profiles.SpecialistSpecialty", related_name="specialists")

    objects: ClassVar[SpecialistManager] = SpecialistManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "slug"], condition=Q(deleted_at=None), name="specialist_slug_free"
            ),
            models.UniqueConstraint(
                fields=["organization", "user"], condition=Q(deleted_at=None), name="specialist_user_free"
            ),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9-]{2,80}$"), name="specialist_slug_well_formed"),
            models.CheckConstraint(
                condition=Q(license_alerted_for=None, license_alerted_days=None)
                | Q(license_alerted_for__isnull=False, license_alerted_days__in=ALERT_DAYS),
                name="specialist_license_alert_whole",
            ),
            models.CheckConstraint(
                condition=Q(scheduling_active=False) | Q(scheduling_timezone__isnull=False),
                name="specialist_active_has_timezone",
            ),
            models.CheckConstraint(
                condition=Q(license_issued_on=None)
                | Q(license_expires_on=None)
                | Q(license_expires_on__gt=F("license_issued_on")),
                name="specialist_license_lasts",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="specialist_newest")]

    class Privacy:
        plain = {
            "id", "organization", "user", "name", "title", "description", "slug", "avatar", "signature",
            "scheduling_timezone", "scheduling_active", "weekly", "overrides", "availability_updated_at",
            "license_number", "license_issuing_body", "license_issued_on", "license_expires_on", "license_alerted_for",
            "license_alerted_days", "external_reference",
            "deleted_at", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return " ".join(filter(None, [self.title, self.name]))

    def license_status(self, today: date) -> LicenseStatus:
        """Return how the licence stands on the organization's date `today`; its last day still counts."""
        if self.license_expires_on is None:
            return LicenseStatus.VALID if self.license_number else LicenseStatus.NONE
        if self.license_expires_on < today:
            return LicenseStatus.EXPIRED
        if self.license_expires_on <= today + timedelta(days=EXPIRING_DAYS):
            return LicenseStatus.EXPIRING
        return LicenseStatus.VALID

    def is_bookable(self, today: date, *, suspend_on_expired_license: bool) -> bool:
        """Say whether the public may book this specialist at all (contract/profiles.md 1.7)."""
        expired = self.license_status(today) == LicenseStatus.EXPIRED
        return bool(
            self.deleted_at is None
            and self.scheduling_active
            and self.scheduling_timezone
            and not (expired and suspend_on_expired_license)
        )


class SpecialistSpecialty(TenantModel):
    """One specialist's field of work."""

    specialist = models.ForeignKey(Specialist, models.CASCADE, related_name="+")
    specialty = models.ForeignKey(Specialty, models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("specialist", name="specialist_specialty_specialist_same_organization"),
            SameOrganization("specialty", name="specialist_specialty_specialty_same_organization"),
            models.UniqueConstraint(fields=["specialist", "specialty"], name="specialist_specialty_once"),
        ]

    class Privacy:
        plain = {"id", "organization", "specialist", "specialty"}

    def __str__(self) -> str:
        return f"{self.specialist_id} · {self.specialty_id}"
