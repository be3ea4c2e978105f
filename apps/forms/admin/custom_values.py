"""Custom field values in the back office: who has what, read only. Source: contract/forms.md 4."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.forms.admin.patient_fields import shown
from apps.forms.models import CustomFieldValue
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.roles import ADMINS

MASK = "•••"


@admin.register(CustomFieldValue)
class CustomFieldValueAdmin(ServiceAdmin):
    """Every value with where it came from; private ones are masked."""

    entity = "custom_field_value"
    may = {"view": ADMINS}
    list_display = ("field", "whose", "shown_value", "source", "updated_at")
    list_filter = ("entity_type",)
    list_select_related = ("custom_field", "patient__person", "specialist")
    ordering = ("-updated_at", "-id")
    fields = ("field", "whose", "shown_value", "source", "updated_at", "updated_by")
    readonly_fields = fields
    intro = _("Values are written on the profiles of patients and specialists.")
    empty_text = _("Nobody has a value of a custom field yet.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out those of removed fields, and read what the rows name."""
        rows = super().get_queryset(request).filter(custom_field__deleted_at=None)
        return rows.select_related(*self.list_select_related)

    def patient_of(self, row: CustomFieldValue) -> int | None:
        """Put on record whose value was opened."""
        return row.patient_id

    @admin.display(description=_("field"), ordering="custom_field__label")
    def field(self, row: CustomFieldValue) -> str:
        """Show the field's label."""
        return row.custom_field.label

    @admin.display(description=_("of"))
    def whose(self, row: CustomFieldValue) -> str:
        """Show whose value it is."""
        return str(row.patient or row.specialist)

    @admin.display(description=_("value"))
    def shown_value(self, row: CustomFieldValue) -> str:
        """Show the value, nothing of a private one."""
        if row.custom_field.is_private:
            return MASK
        return shown(row.custom_field.field_type, row.custom_field.options, row.value)
