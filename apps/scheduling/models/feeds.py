"""Calendar feeds: a secret address under which a specialist's own calendar program reads the appointments."""

from __future__ import annotations

from django.db import models

from restartix.kernel import clock
from restartix.kernel.tenancy import SameOrganization, TenantModel


class CalendarFeed(TenantModel):
    """The one feed of a specialist; a new address replaces the old. Source: contract/scheduling.md 4, 10-13."""

    specialist = models.OneToOneField("profiles.Specialist", models.CASCADE, related_name="+")
    token_digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("specialist", name="feed_specialist_same_organization"),
        ]

    class Privacy:
        secret = {"token_digest"}
        plain = {"id", "organization", "specialist", "created_at", "last_used_at"}

    def __str__(self) -> str:
        return f"feed of {self.specialist_id}"
