"""What lists are filtered by besides a column's own values."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

#: More choices than this nobody reads; the search finds the rest.
MOST_CHOICES = 60


class DeletedFilter(admin.SimpleListFilter):
    """Live rows unless deleted ones are asked for."""

    title = _("deleted")
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the deleted ones; live ones are the default."""
        return [("yes", _("Deleted"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        return queryset.filter(deleted_at__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Any:
        """Call the default what it is."""
        live, *rest = super().choices(changelist)
        yield {**live, "display": _("Not deleted")}
        yield from rest


class ChoiceOfRows(admin.SimpleListFilter):
    """Rows that point to one of a few others of the same clinic: those that `rows` offers."""

    def rows(self, request: HttpRequest) -> Any:
        """Return the rows to choose from."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer each by its name."""
        return [(str(row.pk), str(row)) for row in self.rows(request)[:MOST_CHOICES]]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep what points to the chosen one."""
        chosen = self.value() or ""
        if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 19):
            return queryset
        return queryset.filter(**{f"{self.parameter_name}_id": int(chosen)})
