"""Audit entries: who changed or read what, written by the database in the transaction of the change."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models

from restartix.kernel.tenancy import TenantManager


class AuditAction(models.TextChoices):
    """What was done. A status transition is an UPDATE."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    READ = "READ"
    EXPORT = "EXPORT"
    SIGN = "SIGN"
    IMPERSONATE = "IMPERSONATE"
    LOGIN = "LOGIN"
    DENIED = "DENIED"


class AuditEntry(models.Model):
    """One act on one row, append-only. Source: contract/telemetry.md 1.1.

    The table is partitioned by month of `at` (made by hand in the first migration); no code changes or deletes a row.
    The chain columns stay empty until the row is sealed (services/sealing.py), which fills them once.
    """

    uid = models.UUIDField()
    organization = models.ForeignKey(
        "organizations.Organization",
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    at = models.DateTimeField()
    action = models.CharField(max_length=12, choices=AuditAction)
    actor_type = models.CharField(max_length=10)
    actor_id = models.TextField(null=True)
    actor_name = models.TextField(default="")
    actor_role = models.CharField(max_length=20, null=True)
    on_behalf_of = models.BigIntegerField(null=True)
    impersonation_id = models.BigIntegerField(null=True)
    entity_type = models.CharField(max_length=64)
    entity_id = models.TextField(null=True)
    patient_id = models.BigIntegerField(null=True)
    changes = models.JSONField(null=True)
    redacted = models.BooleanField(default=False)
    ip = models.GenericIPAddressField(null=True)
    user_agent = models.TextField(null=True)
    request_id = models.TextField(null=True)
    method = models.CharField(max_length=10, null=True)
    path = models.TextField(null=True)
    status_code = models.SmallIntegerField(null=True)
    source = models.CharField(max_length=8)
    service = models.TextField(null=True)
    claimed_at = models.DateTimeField(null=True)
    seq = models.BigIntegerField(null=True)
    prev_hash = models.BinaryField(null=True)
    hash = models.BinaryField(null=True)
    salt = models.BinaryField(null=True)
    changes_digest = models.BinaryField(null=True)

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta:
        managed = False
        db_table = "organizations_auditentry"

    class Privacy:
        identifying = {"actor_name", "ip", "user_agent"}
        clinical = {"changes"}
        secret = {"salt"}
        plain = {
            "id", "uid", "organization", "at", "action", "actor_type", "actor_id", "actor_role", "on_behalf_of",
            "impersonation_id", "entity_type", "entity_id", "patient_id", "redacted", "request_id", "method", "path",
            "status_code", "source", "service", "claimed_at", "seq", "prev_hash", "hash", "changes_digest",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id}"
