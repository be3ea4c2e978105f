"""Rows of forms: custom fields, their versions, their values."""

from apps.forms.models.fields import CustomField, CustomFieldType, CustomFieldValue, CustomFieldVersion, EntityType

__all__ = ["CustomField", "CustomFieldType", "CustomFieldValue", "CustomFieldVersion", "EntityType"]
