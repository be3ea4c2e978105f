"""Facts: what happened, kept for webhooks, reactions and streams; the table is the outbox."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from restartix.kernel import clock
from restartix.kernel.tenancy import TenantModel


class Fact(TenantModel):
    """One thing that happened in one clinic, written in the transaction that made it happen.

    `event_id` is `evt_` and a ULID: the `webhook-id` of every delivery. Source: contract/organizations.md 1.7, 1.8.
    """

    event_id = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)
    request_id = models.CharField(max_length=128, null=True)
    relayed_at = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(default=clock.now)

    class Meta(TenantModel.Meta):
        constraints = [*TenantModel.Meta.constraints]
        indexes = [
            models.Index(fields=["not_before", "id"], condition=Q(relayed_at=None), name="fact_waiting"),
            models.Index(fields=["organization", "at"], name="fact_by_time"),
        ]

    class Privacy:
        plain = {
            "id", "organization", "event_id", "name", "payload", "at", "request_id", "relayed_at", "failures",
            "not_before",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} {self.event_id}"
