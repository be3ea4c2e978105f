"""Appointment templates: what a clinic offers to be booked, and who offers it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from apps.scheduling.querysets import TemplateManager
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantModel


class Mode(models.TextChoices):
    """Where patient and specialist meet."""

    VIDEO = "video"
    IN_PERSON = "in_person"


class AppointmentTemplate(Timestamped, TenantModel):
    """A service that can be booked. Source: contract/scheduling.md 1.3."""

    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=80)
    description = models.TextField(max_length=2000, null=True, blank=True)
    specialty = models.ForeignKey("profiles.Specialty", models.PROTECT, null=True, blank=True, related_name="+")
    duration_minutes = models.PositiveSmallIntegerField()
    gap_minutes = models.PositiveSmallIntegerField(default=0)
    #: NULL follows duration + gap.
    explicit_step_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    min_notice_minutes = models.PositiveIntegerField(default=120)
    horizon_days = models.PositiveSmallIntegerField(default=60)
    cancel_cutoff_hours = models.PositiveSmallIntegerField(default=24)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.VIDEO)
    location = models.CharField(max_length=200, null=True, blank=True)
    color = models.CharField(max_length=7, default="#3B82F6")
    is_public = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    specialists = models.ManyToManyField(
        "profiles.Specialist", through="scheduling.TemplateSpecialist", related_name="appointment_templates"
    )

    objects: ClassVar[TemplateManager] = TemplateManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("specialty", name="template_specialty_same_organization"),
            models.UniqueConstraint(
                fields=["organization", "slug"], condition=Q(deleted_at=None), name="template_slug_free"
            ),
            models.CheckConstraint(condition=Q(slug__regex=r"^[a-z0-9-]{2,80}$"), name="template_slug_well_formed"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="template_mode_known"),
            models.CheckConstraint(condition=Q(duration_minutes__range=(5, 480)), name="template_duration_bounds"),
            models.CheckConstraint(condition=Q(gap_minutes__range=(0, 120)), name="template_gap_bounds"),
            models.CheckConstraint(
                condition=Q(explicit_step_minutes=None) | Q(explicit_step_minutes__range=(5, 600)),
                name="template_step_bounds",
            ),
            models.CheckConstraint(condition=Q(min_notice_minutes__range=(0, 43200)), name="template_notice_bounds"),
            models.CheckConstraint(condition=Q(horizon_days__range=(1, 365)), name="template_horizon_bounds"),
            models.CheckConstraint(condition=Q(cancel_cutoff_hours__range=(0, 168)), name="template_cutoff_bounds"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="template_price_not_negative"),
        ]

    class Privacy:
        plain = {
            "id", "organization", "name", "slug", "description", "specialty", "duration_minutes", "gap_minutes",
            "explicit_step_minutes", "min_notice_minutes", "horizon_days", "cancel_cutoff_hours", "price", "currency",
            "mode", "location", "color", "is_public", "is_active", "deleted_at", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.name

    @property
    def slot_step_minutes(self) -> int:
        """Minutes between two starts of the grid."""
        return self.explicit_step_minutes or self.duration_minutes + self.gap_minutes

    def terms(self) -> dict[str, Any]:
        """Return what an appointment takes over when it is made; later changes of the template leave it alone."""
        return {
            "appointment_template": self,
            "title": self.name,
            "specialty_id": self.specialty_id,
            "mode": self.mode,
            "location": self.location,
            "price": self.price,
            "currency": self.currency,
            "gap_minutes": self.gap_minutes,
            "cutoff_hours": self.cancel_cutoff_hours,
        }


class TemplateSpecialist(TenantModel):
    """Who offers a template; the lowest priority number is tried first, ties by specialist id."""

    template = models.ForeignKey(AppointmentTemplate, models.CASCADE, related_name="offers")
    specialist = models.ForeignKey("profiles.Specialist", models.CASCADE, related_name="offers")
    priority = models.PositiveSmallIntegerField()
    is_active = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("template", name="offer_template_same_organization"),
            SameOrganization("specialist", name="offer_specialist_same_organization"),
            models.UniqueConstraint(fields=["template", "specialist"], name="offer_once"),
            models.CheckConstraint(condition=Q(priority__range=(1, 100)), name="offer_priority_bounds"),
        ]

    class Privacy:
        plain = {"id", "organization", "template", "specialist", "priority", "is_active"}

    def __str__(self) -> str:
        return f"{self.priority}: {self.specialist_id}"
