"""Custom fields in the back office: what the clinic asks, with the versions of each. Source: contract/forms.md 4."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.forms.admin.field_forms import RULES, CustomFieldForm
from apps.forms.models import CustomField, CustomFieldVersion
from apps.forms.services import custom_fields
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.roles import ADMINS, STAFF


class VersionInline(ServiceInline):
    """What the field asked from when on; nothing of it is ever changed."""

    model = CustomFieldVersion
    fields = ("version", "label", "field_type", "is_private", "created_at", "author")
    readonly_fields = fields
    ordering = ("-version",)
    may = {"view": STAFF}
    verbose_name_plural = _("Versions")
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the authors with the rows."""
        return super().get_queryset(request).select_related("created_by")

    @admin.display(description=_("created by"))
    def author(self, row: CustomFieldVersion) -> str:
        """Show who made the version."""
        return row.created_by.name if row.created_by else "–"


@admin.register(CustomField)
class CustomFieldAdmin(ServiceAdmin):
    """What a clinic asks of patients, specialists, appointments and of itself, beyond what every clinic does."""

    form = CustomFieldForm
    entity = "custom_field"
    creates = staticmethod(custom_fields.create)
    amends = staticmethod(custom_fields.change)
    removes = staticmethod(custom_fields.remove)
    may = {"view": STAFF, "add": ADMINS, "change": ADMINS, "delete": ADMINS}
    list_display = ("label", "key", "entity_type", "field_type", "is_private", "is_system", "sort_order", "version")
    list_filter = ("entity_type", "field_type", "is_private")
    search_fields = ("label", "key")
    ordering = ("entity_type", "sort_order", "id")
    inlines = (VersionInline,)
    intro = _("Questions of your own. Every change of what a field asks is kept as a version.")
    empty_text = _("Add the first question of your own, such as a scale of pain from 0 to 10.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the removed ones out."""
        rows: Any = super().get_queryset(request)
        return rows.alive()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask what the field is, then which values it takes; show what the server writes."""
        written = ("system_key", "present_version") if obj is not None else ()
        asked = ("entity_type", "label", "key", "field_type", "options", "description", "is_private", "sort_order")
        rules = {
            "fields": tuple(f"rule_{name}" for name in RULES),
            "description": _("Each type takes its own: bounds for numbers and dates, lengths for texts."),
        }
        return ((None, {"fields": (*asked, *written)}), (_("Rules"), rules))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep the entity of a field that exists."""
        return ("entity_type", "system_key", "present_version") if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep the fields that every clinic has."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.system_key is None)

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Hand the rules over as one."""
        given: dict[str, Any] = form.without_rules(values)
        return {name: value for name, value in given.items() if value is not None}

    @admin.display(description=_("system"), boolean=True)
    def is_system(self, row: CustomField) -> bool:
        """Say whether every clinic has it."""
        return row.system_key is not None

    @admin.display(description=_("version"))
    def present_version(self, row: CustomField) -> int:
        """Show the newest version; `version` is what the form calls the state of the row that it was read in."""
        return row.version
