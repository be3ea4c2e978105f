"""Named row filters of custom fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, TenantManager, TenantQuerySet

if TYPE_CHECKING:
    from apps.forms.models.fields import CustomField  # noqa: F401 (named in the generic bases)


class CustomFieldQuerySet(TenantQuerySet["CustomField"]):
    """Custom fields of one clinic."""

    def alive(self) -> Self:
        """Leave out the removed ones."""
        return self.filter(deleted_at=None)

    def in_order(self) -> Self:
        """Put them as they stand on a profile."""
        return self.order_by("sort_order", "pk")

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the caller may read: patients only the patient fields that are not private."""
        rows = self.alive()
        if actor.effective_role == Role.PATIENT:
            return rows.filter(entity_type="patient", is_private=False)
        return rows


CustomFieldManager = TenantManager.from_queryset(CustomFieldQuerySet)
