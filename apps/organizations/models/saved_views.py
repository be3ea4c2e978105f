"""Saved views: a list of the back office as somebody narrowed and ordered it, under a name of their own."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from apps.organizations.querysets import SavedViewManager
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import TenantModel


class SavedView(Timestamped, TenantModel):
    """One person's view of one list, at one clinic.

    `query` is the list's address from the `?` on, cut down to the list's own filters and its order: no text that was
    searched for, because that is mostly a patient's name. The audit trail masks name and query for the same reason.
    """

    user = models.ForeignKey("organizations.User", models.CASCADE, related_name="+")
    #: The list's model, as `scheduling.appointment`.
    listed = models.CharField(max_length=80)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=2000, blank=True)
    #: Whether the list opens with it.
    is_default = models.BooleanField(default=False)

    objects: ClassVar[models.Manager[Self]] = SavedViewManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint("organization", "user", "listed", Lower("name"), name="saved_view_name_free"),
            models.UniqueConstraint(
                fields=["organization", "user", "listed"], condition=Q(is_default=True), name="saved_view_one_default"
            ),
        ]

    class Privacy:
        identifying: ClassVar[Any] = {"user", "name", "query"}
        plain: ClassVar[Any] = {"id", "organization", "listed", "is_default", "created_at", "updated_at"}

    def __str__(self) -> str:
        return self.name
