"""Inline rows whose changes are handed to services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.http import HttpRequest

from restartix.kernel.admin import widgets
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import LabelledFormSet
from restartix.kernel.roles import ADMINS, STAFF, Roles
from restartix.kernel.tenancy import Actor


class ServiceInline(admin.TabularInline):
    """Rows below another row; `saves` hands what changed to services and touches no row itself."""

    formset = LabelledFormSet
    template = "admin/edit_inline/tabular.html"
    formfield_overrides = widgets.FOR_COLUMNS
    extra = 0
    may: ClassVar[Mapping[str, Roles]] = {"view": STAFF, "change": ADMINS}
    #: What the table says when it has no rows.
    empty_text: Any = ""

    @property
    def media(self) -> forms.Media:
        """No scripts but the site's own."""
        return forms.Media()

    def saves(self, parent: Any, *, written: list[Any], removed: list[Any], by: Actor) -> None:
        """Hand the forms of new and changed rows, and the rows to be removed, to services."""
        raise NotImplementedError

    def apply(self, parent: Any, formset: Any, *, by: Actor) -> None:
        """Sort the posted rows and save them, if there is anything to save."""
        removed = [form.instance for form in formset.deleted_forms if form.instance.pk]
        written = [form for form in formset.forms if form.has_changed() and form not in formset.deleted_forms]
        if written or removed:
            self.saves(parent, written=written, removed=removed, by=by)

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the formset, which knows its inline."""
        made: Any = super().get_formset(request, obj, **kwargs)
        made.service_inline = self
        return made

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        """Return the column's control without Django's pop-up buttons."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def _writes(self, request: HttpRequest) -> bool:
        return entry_of(request).may(self.may.get("change", frozenset())) and entry_of(request).workplace is not None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table."""
        return entry_of(request).may(self.may.get("view", frozenset()))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table; rows are added below a row that exists."""
        return obj is not None and self._writes(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table."""
        return self._writes(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask the table."""
        return self._writes(request)
