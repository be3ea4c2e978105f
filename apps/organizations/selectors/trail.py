"""What the audit trail says of one row."""

from __future__ import annotations

from apps.organizations.models import AuditEntry
from apps.organizations.models.audit import AuditAction
from restartix.kernel.admin.trail import Change

#: Reads are told to auditors, not on a row's own page.
WRITES = [AuditAction.CREATE, AuditAction.UPDATE, AuditAction.DELETE, AuditAction.SIGN]


def changes_of(entity: str, row_id: int | str, *, limit: int) -> list[Change]:
    """Return the newest `limit` changes of the row `row_id` of `entity` in the active organization, newest first."""
    rows = AuditEntry.objects.filter(entity_type=entity, entity_id=str(row_id), action__in=WRITES).order_by("-id")
    return [
        Change(
            at=row.at,
            action=row.action,
            actor=row.actor_name or row.actor_id or "",
            role=row.actor_role or "",
            source=row.source,
            values=row.changes or {},
        )
        for row in rows[:limit]
    ]
