"""Organizations: clinics, and what may be set about them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Q

from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.querysets import OrganizationManager
from restartix.kernel.rows import Timestamped


class ConsentType(models.TextChoices):
    """What a patient may agree to; the settings say what a clinic requires. Source: contract/profiles.md 1.5."""

    PRIVACY_POLICY = "privacy_policy"
    TELEREHAB_CONSENT = "telerehab_consent"
    PROFILE_SHARING = "profile_sharing"
    VIDEO_RECORDING = "video_recording"
    HIPAA_NOTICE = "hipaa_notice"
    MARKETING = "marketing"
    ANALYTICS = "analytics"
    MOVEMENT_DATA = "movement_data"


#: Source: contract/organizations.md 1.3.1.
DEFAULT_SETTINGS: dict[str, Any] = {
    "required_consents": [ConsentType.PRIVACY_POLICY.value, ConsentType.TELEREHAB_CONSENT.value],
    "policies": {},
    "suspend_on_expired_license": False,
    "low_rating_threshold": 2,
    "appointment_reminder_hours": 24,
}


class Organization(Timestamped):
    """A clinic: the border that no row crosses. Source: contract/organizations.md 1.3."""

    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=63, unique=True)
    status = models.CharField(max_length=16, choices=OrganizationStatus, default=OrganizationStatus.ACTIVE)
    tagline = models.CharField(max_length=200, null=True, blank=True)
    email = models.EmailField(max_length=254, null=True, blank=True)
    phone = models.CharField(max_length=20, null=True, blank=True)
    website = models.CharField(max_length=2048, null=True, blank=True)
    location = models.CharField(max_length=200, null=True, blank=True)
    address = models.JSONField(null=True, blank=True)
    logo = models.UUIDField(null=True, blank=True, editable=False)
    icon = models.UUIDField(null=True, blank=True, editable=False)
    primary_color = models.CharField(max_length=7, null=True, blank=True)
    secondary_color = models.CharField(max_length=7, null=True, blank=True)
    timezone = models.CharField(max_length=64, default="Europe/Bucharest")
    locale = models.CharField(max_length=35, default="ro")
    currency = models.CharField(max_length=3, default="RON")
    settings = models.JSONField(default=dict, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[OrganizationManager] = OrganizationManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=OrganizationStatus.values), name="organization_status_known"),
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]$") & ~Q(slug__contains="--"),
                name="organization_slug_well_formed",
            ),
        ]

    class Privacy:
        plain = {
            "id", "name", "slug", "status", "tagline", "email", "phone", "website", "location", "address", "logo",
            "icon", "primary_color", "secondary_color", "timezone", "locale", "currency", "settings", "deleted_at",
            "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name

    def setting(self, key: str) -> Any:
        """Return the setting `key`, or its default where none is stored."""
        return self.settings.get(key, DEFAULT_SETTINGS[key])

    @property
    def effective_settings(self) -> dict[str, Any]:
        """Every setting, with the default of each that is not stored."""
        return {key: self.setting(key) for key in DEFAULT_SETTINGS}

    def today(self, now: datetime) -> date:
        """Return the date that a wall calendar in the organization's time zone shows at `now`."""
        return now.astimezone(ZoneInfo(self.timezone)).date()
