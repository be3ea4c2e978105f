"""Audit rows of acts that change nothing: reading one patient's data, exporting it. Changes are the trigger's business.

Source: contract/telemetry.md 1.1.
"""

from __future__ import annotations

from django.db import connection

from restartix.kernel.tenancy import active_organization_id
from restartix.kernel.transactions import joins_transaction

_NOTE = """
INSERT INTO organizations_auditentry (uid, organization_id, at, action, actor_type, actor_id, actor_name, actor_role,
    on_behalf_of, impersonation_id, entity_type, entity_id, patient_id, redacted, ip, user_agent, request_id, method,
    path, source)
SELECT gen_random_uuid(), %s, clock_timestamp(), %s, c ->> 'actor_type', c ->> 'actor_id', c ->> 'actor_name',
    c ->> 'actor_role', (c ->> 'on_behalf_of')::bigint, (c ->> 'impersonation_id')::bigint, %s, %s, %s, false,
    (c ->> 'ip')::inet, c ->> 'user_agent', c ->> 'request_id', c ->> 'method', c ->> 'path', c ->> 'source'
  FROM (SELECT current_setting('app.audit')::jsonb) AS context (c)
"""


@joins_transaction
def note(action: str, entity_type: str, entity_id: int | str | None, *, patient_id: int | None = None) -> None:
    """Write that the present actor did `action` to an entity of the active organization; fails with the request."""
    key = None if entity_id is None else str(entity_id)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [active_organization_id(), action, entity_type, key, patient_id])


def read(entity_type: str, entity_id: int | str | None, *, patient_id: int) -> None:
    """Write that the present actor read data of one patient, `entity_id` None for a list."""
    note("READ", entity_type, entity_id, patient_id=patient_id)
