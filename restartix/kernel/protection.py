"""What a migration says of each table so that PostgreSQL guards it: row-level security and the audit trigger.

Policies read `app.org`, which only `tenancy.acting_for` sets, for one transaction. The audit trigger writes one row for
every changed row in the same transaction, so that the API, the back office, a task, a shell and raw SQL leave the same
trace, and a change whose audit row cannot be written is not made.
Source: contract/conventions.md, "Tenancy" and "Audit"; contract/telemetry.md 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.migrations.operations.base import Operation

#: The active organization as PostgreSQL sees it; a sub-select, so that it is computed once a statement.
ACTIVE = "(SELECT NULLIF(current_setting('app.org', true), '')::bigint)"
#: In place of an organization column: the audit row belongs to the clinic in which the change was made.
WHERE_IT_HAPPENS = "app.org"
#: The signed-in user as PostgreSQL sees it.
SIGNED_IN_USER = "(SELECT NULLIF(current_setting('app.user', true), '')::bigint)"

AUDIT_FUNCTION = r"""
CREATE FUNCTION restartix_shown(value jsonb, masked boolean) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN value IS NULL OR value = 'null'::jsonb THEN 'null'::jsonb
        WHEN masked THEN '"***"'::jsonb
        WHEN jsonb_typeof(value) = 'string' AND length(value #>> '{}') > 2000
            THEN to_jsonb(left(value #>> '{}', 2000) || '…')
        ELSE value
    END
$$;

-- A row as one flat document: a JSON column that holds an object gives one key for each of its top-level keys.
CREATE FUNCTION restartix_flat(document jsonb) RETURNS TABLE (column_name text, key text, value jsonb)
LANGUAGE sql IMMUTABLE AS $$
    SELECT c.key, c.key, c.value FROM jsonb_each(document) c WHERE jsonb_typeof(c.value) <> 'object'
    UNION ALL
    SELECT c.key, c.key || '.' || d.key, d.value FROM jsonb_each(document) c
        CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof(c.value) = 'object' THEN c.value ELSE '{}'::jsonb END) d
$$;

"""
#: The trigger's function; a migration that comes later may write it again.
AUDIT_TRIGGER = r"""
-- Arguments: entity, organization column ('app.org': the active organization), identity column, patient column,
-- masked columns, ignored columns.
CREATE OR REPLACE FUNCTION restartix_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    context jsonb := COALESCE(NULLIF(current_setting('app.audit', true), ''), '{}')::jsonb;
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}'::jsonb ELSE to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}'::jsonb ELSE to_jsonb(NEW) END;
    present jsonb := CASE WHEN TG_OP = 'DELETE' THEN before ELSE after END;
    masked text[] := string_to_array(TG_ARGV[4], ',');
    ignored text[] := string_to_array(TG_ARGV[5], ',');
    verb text := CASE TG_OP WHEN 'INSERT' THEN 'CREATE' ELSE TG_OP END;
    diff jsonb;
    has_objects boolean;
BEGIN
    -- Masked columns that the platform role seals under another key hold what they held before: no change to tell of
    -- (services/rotation.py, which writes into the trail that and how many it sealed).
    IF TG_OP = 'UPDATE' AND current_user = 'restartix_platform' THEN
        ignored := ignored || ARRAY(SELECT unnest(masked) INTERSECT
                                    SELECT unnest(string_to_array(current_setting('app.resealing', true), ',')));
    END IF;
    -- Most changes are of plain values, which one pass compares; a column that holds an object takes the general way.
    SELECT jsonb_object_agg(c.key, jsonb_build_object(
               'old', CASE WHEN c.masked OR c.is_long THEN restartix_shown(c.old, c.masked) ELSE c.old END,
               'new', CASE WHEN c.masked OR c.is_long THEN restartix_shown(c.new, c.masked) ELSE c.new END)),
           bool_or(jsonb_typeof(c.old) = 'object' OR jsonb_typeof(c.new) = 'object')
      INTO diff, has_objects
      FROM (SELECT p.key, p.key = ANY (masked) AS masked,
                   length((before -> p.key)::text) > 2000 OR length((after -> p.key)::text) > 2000 AS is_long,
                   COALESCE(before -> p.key, 'null') AS old, COALESCE(after -> p.key, 'null') AS new
              FROM jsonb_each(present) p WHERE p.key <> ALL (ignored)) c
     WHERE c.old <> c.new;
    IF has_objects THEN
        SELECT jsonb_object_agg(COALESCE(a.key, b.key), jsonb_build_object(
                   'old', restartix_shown(b.value, COALESCE(b.column_name, a.column_name) = ANY (masked)),
                   'new', restartix_shown(a.value, COALESCE(a.column_name, b.column_name) = ANY (masked))))
          INTO diff
          FROM restartix_flat(after) a FULL JOIN restartix_flat(before) b ON a.key = b.key
         WHERE COALESCE(a.value, 'null') IS DISTINCT FROM COALESCE(b.value, 'null')
           AND NOT COALESCE(a.column_name, b.column_name) = ANY (ignored);
    END IF;
    IF diff IS NULL AND TG_OP = 'UPDATE' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' AND before ->> 'deleted_at' IS NULL AND after ->> 'deleted_at' IS NOT NULL THEN
        verb := 'DELETE';
    END IF;
    INSERT INTO organizations_auditentry (
        uid, organization_id, at, action, actor_type, actor_id, actor_name, actor_role, on_behalf_of, impersonation_id,
        entity_type, entity_id, patient_id, changes, redacted, ip, user_agent, request_id, method, path, source)
    VALUES (
        gen_random_uuid(), CASE WHEN TG_ARGV[1] = 'app.org' THEN NULLIF(current_setting('app.org', true), '')
                                ELSE present ->> NULLIF(TG_ARGV[1], '') END::bigint, clock_timestamp(), verb,
        COALESCE(context ->> 'actor_type', 'system'),
        COALESCE(context ->> 'actor_id', CASE WHEN context = '{}' THEN session_user::text END),
        COALESCE(context ->> 'actor_name', ''), context ->> 'actor_role', (context ->> 'on_behalf_of')::bigint,
        (context ->> 'impersonation_id')::bigint, TG_ARGV[0], present ->> TG_ARGV[2],
        (present ->> NULLIF(TG_ARGV[3], ''))::bigint, diff, false, (context ->> 'ip')::inet, context ->> 'user_agent',
        context ->> 'request_id', context ->> 'method', context ->> 'path', COALESCE(context ->> 'source', 'shell'));
    RETURN NULL;
END
$$;
"""
AUDIT_FUNCTION += AUDIT_TRIGGER
#: The audit trigger may write of any organization (a new one, say); whoever writes directly only of the active one.
AUDIT_WRITTEN = "organization_id IS NULL OR pg_trigger_depth() > 0"

AUDIT_FUNCTION_REVERSE = """
DROP FUNCTION restartix_audit();
DROP FUNCTION restartix_flat(jsonb);
DROP FUNCTION restartix_shown(jsonb, boolean);
"""


class _TableOperation(Operation):
    """An operation on one model's table that leaves the migration state as it is."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change nothing: models do not know of policies."""

    @staticmethod
    def _table(app_label: str, state: Any, model: str) -> str:
        return str(state.apps.get_model(app_label, model)._meta.db_table)


class AuditTable(_TableOperation):
    """Every change of a row of `model` leaves an audit row.

    `masked` columns show as `***`; a change of `ignored` columns alone leaves nothing (leases, last-seen marks).
    """

    def __init__(
        self,
        model: str,
        *,
        entity: str,
        organization: str = "organization_id",
        identity: str = "id",
        patient: str = "",
        masked: Sequence[str] = (),
        ignored: Sequence[str] = (),
    ) -> None:
        """Name the entity as its path does, and the columns that say whose row it is.

        `organization` may be WHERE_IT_HAPPENS: the audit row then belongs to the clinic that acts.
        """
        self.model, self.entity, self.organization = model, entity, organization
        self.identity, self.patient = identity, patient
        self.masked, self.ignored = tuple(masked), ("updated_at", *ignored)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the trigger."""
        table = self._table(app_label, to_state, self.model)
        parts = (
            self.entity,
            self.organization,
            self.identity,
            self.patient,
            ",".join(self.masked),
            ",".join(self.ignored),
        )
        arguments = ", ".join(f"'{part}'" for part in parts)
        schema_editor.execute(
            f'CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION restartix_audit({arguments})"
        )

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the trigger."""
        schema_editor.execute(f'DROP TRIGGER audit ON "{self._table(app_label, from_state, self.model)}"')

    def describe(self) -> str:
        """Say what the operation does."""
        return f"Audit every change of {self.model}"


class IsolateTable(_TableOperation):
    """Rows of `model` are seen and written only in their own organization: row-level security, enabled and forced.

    `also_visible` is a further condition under which a row may be read, `also_written` one for writing it.
    """

    def __init__(self, model: str, *, also_visible: str = "", also_written: str = "") -> None:
        """Isolate by organization_id."""
        self.model, self.also_visible, self.also_written = model, also_visible, also_written

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Enable, force, and write the policies."""
        table = self._table(app_label, to_state, self.model)
        own = f"organization_id = {ACTIVE}"
        check = f"{own} OR {self.also_written}" if self.also_written else own
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY')
        schema_editor.execute(f'CREATE POLICY own_organization ON "{table}" USING ({own}) WITH CHECK ({check})')
        if self.also_visible:
            schema_editor.execute(f'CREATE POLICY also_visible ON "{table}" FOR SELECT USING ({self.also_visible})')

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the policies and the security."""
        table = self._table(app_label, from_state, self.model)
        schema_editor.execute(f'DROP POLICY own_organization ON "{table}"')
        if self.also_visible:
            schema_editor.execute(f'DROP POLICY also_visible ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        """Say what the operation does."""
        return f"Isolate {self.model} by organization"


def tenant_table(model: str, *, entity: str, also_visible: str = "", **audit: Any) -> list[Operation]:
    """Return both guards of a tenant table: isolation and audit."""
    return [IsolateTable(model, also_visible=also_visible), AuditTable(model, entity=entity, **audit)]
