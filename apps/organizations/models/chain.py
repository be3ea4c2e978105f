"""The state of the audit chains: where each ends, and how far sealing has come. Written by the database's functions."""

from __future__ import annotations

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from restartix.kernel.tenancy import TenantManager


class AuditHead(models.Model):
    """The end of one chain: an organization's, or the platform's, which has none.

    `checkpoint_*` is the last row that went with a dropped partition: verification starts from it. No role but the
    owner's sealing function writes it. Source: contract/telemetry.md 1.2.
    """

    organization = models.ForeignKey(
        "organizations.Organization",
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    seq = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)
    #: The id of the audit entry that has `seq`.
    entry_id = models.BigIntegerField()
    sealed_at = models.DateTimeField()
    checkpoint_seq = models.BigIntegerField(null=True)
    checkpoint_hash = models.BinaryField(null=True, max_length=32)

    objects: ClassVar[models.Manager[Self]] = TenantManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="audit_head_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(checkpoint_seq=None, checkpoint_hash=None)
                | Q(checkpoint_seq__isnull=False, checkpoint_hash__isnull=False),
                name="audit_checkpoint_whole",
            ),
        ]

    class Privacy:
        plain = {
            "id", "organization", "seq", "hash", "entry_id", "sealed_at", "checkpoint_seq", "checkpoint_hash",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.organization_id or 'platform'} {self.seq}"


class AuditSealing(models.Model):
    """How far sealing has come, in one row: sealed_id <= safe_id <= fence_id.

    Every id up to `safe_id` belongs to a committed row or to none for ever. So will every id up to `fence_id` once the
    transactions in `fence_writers`, which were writing audit rows when the fence was put up, have ended.
    """

    id = models.SmallIntegerField(primary_key=True)
    sealed_id = models.BigIntegerField()
    safe_id = models.BigIntegerField()
    fence_id = models.BigIntegerField()
    fence_writers = ArrayField(models.TextField())
    fenced_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="audit_sealing_one_row"),
            models.CheckConstraint(
                condition=Q(sealed_id__lte=models.F("safe_id"), safe_id__lte=models.F("fence_id")),
                name="audit_sealing_ordered",
            ),
        ]

    class Privacy:
        plain = {"id", "sealed_id", "safe_id", "fence_id", "fence_writers", "fenced_at"}

    def __str__(self) -> str:
        return f"sealed up to {self.sealed_id}"
