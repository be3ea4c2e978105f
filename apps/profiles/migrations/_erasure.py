"""SQL of erasure: the one way in which the audit trail forgets what was changed, while its chain still holds."""

from apps.organizations.migrations._sql import _TOLD

# The hash covers a digest of the changes, not the changes: without them and their salt nobody can guess what they
# were, and the chain verifies as before. What the triggers let through has the shape of a redaction and no other, and
# only the owner may update the trail at all. Source: contract/telemetry.md 1.2; docs/adr/0014-audit-chain.md.
REDACTION = f"""
CREATE FUNCTION restartix_only_redacted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('app.redacting', true) = 'on'
       AND NEW.redacted AND NEW.changes IS NULL AND NEW.salt IS NULL
       AND to_jsonb(NEW) - '{{changes,salt,redacted,actor_name}}'::text[]
         = to_jsonb(OLD) - '{{changes,salt,redacted,actor_name}}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
DROP TRIGGER append_only ON organizations_auditentry;
CREATE TRIGGER append_only BEFORE UPDATE OF {_TOLD} OR DELETE ON organizations_auditentry
    FOR EACH ROW EXECUTE FUNCTION restartix_only_redacted();
DROP TRIGGER sealed_once ON organizations_auditentry;
CREATE TRIGGER sealed_once BEFORE UPDATE ON organizations_auditentry FOR EACH ROW
    WHEN (OLD.seq IS NOT NULL OR current_setting('app.sealing', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION restartix_only_redacted();
CREATE POLICY redaction_clears ON organizations_auditentry FOR UPDATE TO CURRENT_USER
    USING (true) WITH CHECK (redacted);

-- Takes the changes out of every row about the person, their files at the clinics and their login, and their name out
-- of what they did themselves; returns how many rows those are.
CREATE FUNCTION restartix_redact_audit(person bigint, files bigint[], login bigint, pseudonym text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    cleared bigint;
BEGIN
    PERFORM set_config('app.redacting', 'on', true);
    UPDATE organizations_auditentry e
       SET changes = NULL, salt = NULL, redacted = true,
           actor_name = CASE WHEN e.actor_type = 'user' AND e.actor_id = login::text THEN pseudonym
                             ELSE e.actor_name END
     WHERE e.patient_id = ANY (files) AND (e.changes IS NOT NULL OR e.actor_id = login::text)
        OR e.entity_type = 'patient_person' AND e.entity_id = person::text AND e.changes IS NOT NULL
        OR e.entity_type = 'user' AND e.entity_id = login::text AND e.changes IS NOT NULL
        OR e.actor_type = 'user' AND e.actor_id = login::text AND e.actor_name <> pseudonym;
    GET DIAGNOSTICS cleared = ROW_COUNT;
    PERFORM set_config('app.redacting', 'off', true);
    RETURN cleared;
END
$$;
REVOKE ALL ON FUNCTION restartix_redact_audit(bigint, bigint[], bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION restartix_redact_audit(bigint, bigint[], bigint, text) TO restartix_platform;
"""
REDACTION_REVERSE = f"""
DROP FUNCTION restartix_redact_audit(bigint, bigint[], bigint, text);
DROP POLICY redaction_clears ON organizations_auditentry;
DROP TRIGGER sealed_once ON organizations_auditentry;
CREATE TRIGGER sealed_once BEFORE UPDATE ON organizations_auditentry FOR EACH ROW
    WHEN (OLD.seq IS NOT NULL OR current_setting('app.sealing', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION restartix_append_only();
DROP TRIGGER append_only ON organizations_auditentry;
CREATE TRIGGER append_only BEFORE UPDATE OF {_TOLD} OR DELETE ON organizations_auditentry
    FOR EACH ROW EXECUTE FUNCTION restartix_append_only();
DROP FUNCTION restartix_only_redacted();
"""
