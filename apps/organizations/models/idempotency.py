"""Idempotency records: the first answer to a keyed request, kept for its repeats."""

from __future__ import annotations

from django.db import models

from restartix.kernel.crypto import BoundSecretField


class IdempotencyRecord(models.Model):
    """The stored answer of one keyed request, written in the transaction of its effect.

    `scope_digest` is the SHA-256 of caller, organization, method, path and key, so the row says nothing of either and
    belongs to no organization's data. The body is sealed, because it may hold a secret or a person's name.
    Source: contract/conventions.md, "Idempotency".
    """

    scope_digest = models.BinaryField(max_length=32, unique=True)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = BoundSecretField(kind="idempotency", bound_to=("scope_digest",), null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(expires_at__gt=models.F("created_at")), name="idempotency_lasts"),
        ]

    class Privacy:
        secret = {"body"}
        plain = {"id", "scope_digest", "fingerprint", "status", "headers", "created_at", "expires_at"}

    def __str__(self) -> str:
        return bytes(self.scope_digest).hex()
