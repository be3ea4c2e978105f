"""Custom fields: what a clinic asks of its own accord, each version of the question, and the values."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from apps.forms.domain.field_types import CUSTOM_FIELD_TYPES, Definition, FieldType
from apps.forms.querysets import CustomFieldManager
from restartix.kernel import clock
from restartix.kernel.rows import ChangedAt, Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantModel

#: System fields carry the key that they were seeded with; it stays when `key` is changed.
KEY_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"


class EntityType(models.TextChoices):
    """Whose field it is."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    APPOINTMENT = "appointment"
    ORGANIZATION = "organization"


class CustomFieldType(models.TextChoices):
    """What a custom field takes: the first nine of the field types."""

    TEXT = "text"
    TEXTAREA = "textarea"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    SELECT = "select"
    RADIO = "radio"
    CHECKBOX = "checkbox"


assert tuple(CustomFieldType.values) == CUSTOM_FIELD_TYPES  # one table of types, two spellings


class _Asked(TenantModel):
    """What a field asks: the part of it that versions keep."""

    label = models.CharField(max_length=200)
    field_type = models.CharField(max_length=10, choices=CustomFieldType)
    options = models.JSONField(default=list, blank=True)
    validation = models.JSONField(default=dict, blank=True)
    is_private = models.BooleanField(default=False)

    class Meta:
        abstract = True

    @property
    def definition(self) -> Definition:
        """The field as the rules of field types know it."""
        return Definition(FieldType(self.field_type), self.options, self.validation)


class CustomField(Timestamped, _Asked):
    """A field of a clinic's own; removed softly, so that values and forms keep what they meant.

    Source: contract/forms.md 1.5.
    """

    entity_type = models.CharField(max_length=12, choices=EntityType)
    key = models.CharField(max_length=63)
    description = models.CharField(max_length=1000, default="", blank=True)
    sort_order = models.PositiveSmallIntegerField()
    system_key = models.CharField(max_length=63, null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[CustomFieldManager] = CustomFieldManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(
                fields=["organization", "entity_type", "key"],
                condition=Q(deleted_at=None),
                name="custom_field_key_free",
            ),
            models.UniqueConstraint(
                fields=["organization", "entity_type", "system_key"], name="custom_field_system_key_once"
            ),
            models.UniqueConstraint(fields=["organization", "id", "entity_type"], name="custom_field_of_entity_type"),
            models.CheckConstraint(condition=Q(key__regex=KEY_PATTERN), name="custom_field_key_well_formed"),
            models.CheckConstraint(
                condition=Q(entity_type__in=EntityType.values), name="custom_field_entity_type_known"
            ),
            models.CheckConstraint(
                condition=Q(field_type__in=CustomFieldType.values), name="custom_field_field_type_known"
            ),
            models.CheckConstraint(condition=Q(sort_order__range=(0, 10000)), name="custom_field_sort_order_bounds"),
            models.CheckConstraint(condition=Q(version__gte=1), name="custom_field_version_bounds"),
        ]

    class Privacy:
        plain = {
            "id", "organization", "entity_type", "key", "label", "field_type", "options", "validation", "description",
            "is_private", "sort_order", "system_key", "version", "deleted_at", "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return self.label


class CustomFieldVersion(_Asked):
    """What a custom field asked from one moment on; written once (a trigger refuses every change)."""

    custom_field = models.ForeignKey(CustomField, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=clock.now, editable=False)
    created_by = models.ForeignKey("organizations.User", models.PROTECT, null=True, related_name="+", editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("custom_field", name="field_version_field_same_organization"),
            models.UniqueConstraint(fields=["custom_field", "version"], name="field_version_once"),
            models.CheckConstraint(
                condition=Q(field_type__in=CustomFieldType.values), name="field_version_field_type_known"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="field_version_bounds"),
        ]

    class Privacy:
        plain = {
            "id", "organization", "custom_field", "version", "label", "field_type", "options", "validation",
            "is_private", "created_at", "created_by",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.label} ({self.version})"


class CustomFieldValue(TenantModel):
    """What one patient or specialist has of a custom field; an empty value is no row.

    The entity is a link of its own kind, guarded like every other: exactly the one that `entity_type` names is set, and
    `entity_type` is that of the field (a composite foreign key). Appointments join when forms fill in their fields.
    """

    custom_field = models.ForeignKey(CustomField, models.PROTECT, related_name="values")
    entity_type = models.CharField(max_length=12, choices=EntityType)
    patient = models.ForeignKey(
        "profiles.Patient", models.PROTECT, null=True, blank=True, related_name="custom_field_values"
    )
    specialist = models.ForeignKey(
        "profiles.Specialist", models.PROTECT, null=True, blank=True, related_name="custom_field_values"
    )
    value = models.JSONField()
    source = models.CharField(max_length=32, default="profile")
    updated_at = ChangedAt(editable=False)
    updated_by = models.ForeignKey("organizations.User", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("custom_field", name="field_value_field_same_organization"),
            SameOrganization("patient", name="field_value_patient_same_organization"),
            SameOrganization("specialist", name="field_value_specialist_same_organization"),
            models.UniqueConstraint(fields=["custom_field", "patient"], name="field_value_once_a_patient"),
            models.UniqueConstraint(fields=["custom_field", "specialist"], name="field_value_once_a_specialist"),
            models.CheckConstraint(condition=Q(entity_type__in=EntityType.values), name="field_value_entity_known"),
            models.CheckConstraint(
                condition=Q(entity_type="patient", patient__isnull=False, specialist=None)
                | Q(entity_type="specialist", patient=None, specialist__isnull=False),
                name="field_value_of_its_entity",
            ),
            models.CheckConstraint(
                condition=Q(source__regex=r"^(profile|import|form:[0-9]+)$"), name="field_value_source_known"
            ),
        ]

    class Privacy:
        identifying = {"patient"}
        clinical = {"value"}
        plain = {
            "id", "organization", "custom_field", "entity_type", "specialist", "source", "updated_at", "updated_by",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.custom_field_id}: {self.entity_id}"

    @property
    def entity_id(self) -> int | None:
        """The patient or specialist whose value it is."""
        return self.patient_id if self.entity_type == EntityType.PATIENT else self.specialist_id
