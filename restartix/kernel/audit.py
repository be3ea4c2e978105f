"""Audit rows of acts that change nothing: reading one patient's data, exporting it. Changes are the trigger's business.

Source: contract/telemetry.md 1.1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.db import connection

from restartix.kernel.tenancy import active_organization_id
from restartix.kernel.transactions import joins_transaction

_NOTE = """
INSERT INTO organizations_auditentry (uid, organization_id, at, action, actor_type, actor_id, actor_name, actor_role,
    on_behalf_of, impersonation_id, entity_type, entity_id, patient_id, changes, redacted, ip, user_agent, request_id,
    method, path, source)
SELECT gen_random_uuid(), %s, clock_timestamp(), %s, c ->> 'actor_type', c ->> 'actor_id', c ->> 'actor_name',
    c ->> 'actor_role', (c ->> 'on_behalf_of')::bigint, (c ->> 'impersonation_id')::bigint, %s, %s, %s, %s::jsonb,
    false, (c ->> 'ip')::inet, c ->> 'user_agent', c ->> 'request_id', c ->> 'method', c ->> 'path', c ->> 'source'
  FROM (SELECT current_setting('app.audit')::jsonb) AS context (c)
"""
_ON_BEHALF_OF = """
SELECT set_config('app.audit', (COALESCE(NULLIF(current_setting('app.audit', true), ''), '{}')::jsonb
    || jsonb_build_object('on_behalf_of', %s::bigint))::text, true)
"""
_NOTE_IMPERSONATED = "SELECT profiles_trace_impersonated(%s, %s::smallint)"


@joins_transaction
def trace_impersonated(action: str, *, status: int) -> None:
    """Count a request under impersonation and leave its audit row, unless it has left some of its own by changing rows.

    Source: contract/profiles.md 1.6.
    """
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_IMPERSONATED, [action, status])


@joins_transaction
def note(
    action: str,
    entity_type: str,
    entity_id: int | str | None,
    *,
    patient_id: int | None = None,
    said: Mapping[str, str] | None = None,
) -> None:
    """Write that the present actor did `action` to an entity of the active organization; fails with the request.

    `said` is what the actor gave with it, such as a reason; it stands among the changes.
    """
    _write(active_organization_id(), action, entity_type, entity_id, patient_id=patient_id, said=said)


@joins_transaction
def note_of_platform(
    action: str, entity_type: str, entity_id: int | str | None, *, said: Mapping[str, str] | None = None
) -> None:
    """Write that the present actor did `action` where no organization is concerned, such as signing in."""
    _write(None, action, entity_type, entity_id, patient_id=None, said=said)


def _write(
    organization_id: int | None,
    action: str,
    entity_type: str,
    entity_id: int | str | None,
    *,
    patient_id: int | None,
    said: Mapping[str, str] | None,
) -> None:
    key = None if entity_id is None else str(entity_id)
    changes = json.dumps({name: {"old": None, "new": text} for name, text in said.items()}) if said else None
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [organization_id, action, entity_type, key, patient_id, changes])


def read(entity_type: str, entity_id: int | str | None, *, patient_id: int) -> None:
    """Write that the present actor read data of one patient, `entity_id` None for a list."""
    note("READ", entity_type, entity_id, patient_id=patient_id)


@joins_transaction
def on_behalf_of(patient_id: int) -> None:
    """Let every audit row of the rest of the transaction name the patient whom the present actor acts for."""
    with connection.cursor() as cursor:
        cursor.execute(_ON_BEHALF_OF, [patient_id])
