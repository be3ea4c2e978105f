"""SQL of impersonations: how a token of one enters, what ends one, and the trace that each request leaves."""

# The counterpart of restartix_enter for a token that this server signed: one statement a request, as the platform role,
# for the organization is what is being found out. Whatever has ended the impersonation since, nothing is found.
# `app.user` stays empty: the database shows what the clinic may see, not what the patient sees at other clinics.
ENTER = """
CREATE FUNCTION profiles_enter_impersonated(
    imp bigint, acting bigint, subject bigint, clinic bigint, wanted bigint, trace jsonb,
    OUT user_id bigint, OUT user_name text, OUT user_email text,
    OUT actor_id bigint, OUT actor_name text, OUT actor_email text, OUT actor_role text, OUT patient_id bigint,
    OUT organization_id bigint, OUT slug text, OUT organization_name text, OUT timezone text, OUT locale text,
    OUT currency text, OUT status text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    SELECT u.id, u.name, u.email, a.id, a.name, a.email, i.actor_role, i.patient_id,
           o.id, o.slug, o.name, o.timezone, o.locale, o.currency, o.status
      INTO user_id, user_name, user_email, actor_id, actor_name, actor_email, actor_role, patient_id,
           organization_id, slug, organization_name, timezone, locale, currency, status
      FROM profiles_impersonation i
      JOIN organizations_organization o ON o.id = i.organization_id AND o.deleted_at IS NULL
      JOIN profiles_patient p ON p.id = i.patient_id AND p.deleted_at IS NULL
      JOIN profiles_patientperson h ON h.id = p.person_id
      JOIN organizations_user u ON u.id = h.user_id AND NOT u.blocked AND u.deleted_at IS NULL
      JOIN organizations_user a ON a.id = i.actor_id AND NOT a.blocked AND a.deleted_at IS NULL
     WHERE i.id = imp AND i.actor_id = acting AND u.id = subject AND i.organization_id = clinic
       AND i.ended_at IS NULL AND i.expires_at > clock_timestamp()
       AND (a.is_superadmin OR EXISTS (
            SELECT FROM organizations_membership m WHERE m.organization_id = i.organization_id
               AND m.user_id = a.id AND m.status = 'active' AND m.role = 'admin'))
       AND NOT EXISTS (
            SELECT FROM organizations_membership m WHERE m.organization_id = i.organization_id
               AND m.user_id = u.id AND m.status = 'disabled');
    IF wanted IS NOT NULL AND wanted IS DISTINCT FROM organization_id THEN
        organization_id := NULL;
    END IF;
    PERFORM set_config('app.org', COALESCE(organization_id::text, ''), true),
            set_config('app.user', '', true),
            set_config('app.audit', (trace || jsonb_build_object(
                'actor_type', 'user', 'actor_id', actor_id::text, 'actor_name', COALESCE(actor_name, ''),
                'actor_role', actor_role, 'on_behalf_of', patient_id, 'impersonation_id', imp))::text, true);
END
$$;
ALTER FUNCTION profiles_enter_impersonated(bigint, bigint, bigint, bigint, bigint, jsonb) OWNER TO restartix_platform;
"""
ENTER_REVERSE = "DROP FUNCTION profiles_enter_impersonated(bigint, bigint, bigint, bigint, bigint, jsonb);"

# Whatever takes the membership or blocks the user, the impersonations of and by that user end with it, in the same
# transaction. An hour that had run out already is noted as that.
ENDING = """
CREATE FUNCTION profiles_end_impersonations(who bigint, clinic bigint, why text, as_actor_only boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE profiles_impersonation i
       SET ended_at = LEAST(clock_timestamp(), i.expires_at),
           ended_reason = CASE WHEN i.expires_at <= clock_timestamp() THEN 'expired' ELSE why END
     WHERE i.ended_at IS NULL AND (clinic IS NULL OR i.organization_id = clinic)
       AND (i.actor_id = who OR NOT as_actor_only AND i.patient_id IN (
            SELECT p.id FROM profiles_patient p JOIN profiles_patientperson h ON h.id = p.person_id
             WHERE h.user_id = who))
$$;
ALTER FUNCTION profiles_end_impersonations(bigint, bigint, text, boolean) OWNER TO restartix_platform;

CREATE FUNCTION profiles_membership_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM profiles_end_impersonations(OLD.user_id, OLD.organization_id, 'membership_ended',
                                        TG_OP = 'UPDATE' AND NEW.status = 'active');
    RETURN NULL;
END
$$;
CREATE TRIGGER end_impersonations AFTER UPDATE ON organizations_membership FOR EACH ROW
    WHEN (OLD.status = 'active' AND (NEW.status <> 'active' OR OLD.role = 'admin' AND NEW.role <> 'admin'))
    EXECUTE FUNCTION profiles_membership_ended();
CREATE TRIGGER end_impersonations_with_row AFTER DELETE ON organizations_membership FOR EACH ROW
    EXECUTE FUNCTION profiles_membership_ended();

CREATE FUNCTION profiles_user_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.blocked OR NEW.deleted_at IS NOT NULL THEN
        PERFORM profiles_end_impersonations(NEW.id, NULL, 'blocked', false);
    ELSE
        UPDATE profiles_impersonation SET ended_at = clock_timestamp(), ended_reason = 'membership_ended'
         WHERE actor_id = NEW.id AND actor_role = 'superadmin' AND ended_at IS NULL;
    END IF;
    RETURN NULL;
END
$$;
ALTER FUNCTION profiles_user_ended() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION profiles_user_ended() OWNER TO restartix_platform;
CREATE TRIGGER end_impersonations AFTER UPDATE ON organizations_user FOR EACH ROW
    WHEN (NEW.blocked AND NOT OLD.blocked OR NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL
          OR OLD.is_superadmin AND NOT NEW.is_superadmin)
    EXECUTE FUNCTION profiles_user_ended();
"""
ENDING_REVERSE = """
DROP TRIGGER end_impersonations ON organizations_user;
DROP FUNCTION profiles_user_ended();
DROP TRIGGER end_impersonations_with_row ON organizations_membership;
DROP TRIGGER end_impersonations ON organizations_membership;
DROP FUNCTION profiles_membership_ended();
DROP FUNCTION profiles_end_impersonations(bigint, bigint, text, boolean);
"""

# The pace of one person is counted over all clinics, and tells nothing but the moments.
PACE = """
CREATE FUNCTION profiles_impersonations_since(acting bigint, since timestamptz) RETURNS SETOF timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT i.started_at FROM profiles_impersonation i WHERE i.actor_id = acting AND i.started_at > since
     ORDER BY i.started_at
$$;
ALTER FUNCTION profiles_impersonations_since(bigint, timestamptz) OWNER TO restartix_platform;
"""
PACE_REVERSE = "DROP FUNCTION profiles_impersonations_since(bigint, timestamptz);"

# Every request under impersonation is counted and leaves an audit row: those that it wrote itself, or this one.
TRACE = """
CREATE FUNCTION profiles_trace_impersonated(verb text, answered smallint) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    context jsonb := current_setting('app.audit')::jsonb;
BEGIN
    UPDATE profiles_impersonation SET request_count = request_count + 1
     WHERE id = (context ->> 'impersonation_id')::bigint;
    INSERT INTO organizations_auditentry (uid, organization_id, at, action, actor_type, actor_id, actor_name,
        actor_role, on_behalf_of, impersonation_id, entity_type, entity_id, patient_id, redacted, ip, user_agent,
        request_id, method, path, status_code, source)
    SELECT gen_random_uuid(), NULLIF(current_setting('app.org', true), '')::bigint, clock_timestamp(), verb,
        context ->> 'actor_type', context ->> 'actor_id', context ->> 'actor_name', context ->> 'actor_role',
        (context ->> 'on_behalf_of')::bigint, (context ->> 'impersonation_id')::bigint, 'impersonation',
        context ->> 'impersonation_id', (context ->> 'on_behalf_of')::bigint, false, (context ->> 'ip')::inet,
        context ->> 'user_agent', context ->> 'request_id', context ->> 'method', context ->> 'path', answered,
        context ->> 'source'
     WHERE NOT EXISTS (
        SELECT FROM organizations_auditentry e WHERE e.request_id = context ->> 'request_id'
           AND e.impersonation_id = (context ->> 'impersonation_id')::bigint AND e.at >= transaction_timestamp());
END
$$;
"""
TRACE_REVERSE = "DROP FUNCTION profiles_trace_impersonated(text, smallint);"

#: Nobody changes or removes a key; resealing it under a newer ENCRYPTION_KEYS is the platform role's.
KEYS = "REVOKE UPDATE, DELETE, TRUNCATE ON profiles_signingkey FROM restartix_app;"
KEYS_REVERSE = "GRANT UPDATE, DELETE ON profiles_signingkey TO restartix_app;"
