"""The inbox of the identity provider: which of its events arrived, and what became of each."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from restartix.kernel import clock


class ArrivalOutcome(models.TextChoices):
    """What became of an event; a repeated one leaves no row of its own."""

    PROCESSED = "processed"
    IGNORED = "ignored"
    CONFLICT = "conflict"


class IdentityEvent(models.Model):
    """One event of the identity provider, written in the transaction that applied it.

    `svix_id` makes a repetition harmless. The event of a deletion stays for good: it tells a late `user.created` of
    somebody who was never known here that the account is gone. Source: contract/organizations.md 2.1.
    """

    svix_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100)
    subject = models.CharField(max_length=255, null=True, blank=True)
    outcome = models.CharField(max_length=9, choices=ArrivalOutcome, default=ArrivalOutcome.PROCESSED)
    received_at = models.DateTimeField(default=clock.now)

    DELETION: ClassVar[str] = "user.deleted"

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=ArrivalOutcome.values), name="identity_event_outcome_known"),
        ]
        indexes = [
            models.Index(fields=["received_at", "id"], name="identity_event_by_time"),
            models.Index(fields=["subject"], condition=Q(type="user.deleted"), name="identity_event_deletions"),
        ]

    class Privacy:
        identifying = {"subject"}
        plain = {"id", "svix_id", "type", "outcome", "received_at"}

    def __str__(self) -> str:
        return f"{self.type} {self.svix_id}"
