"""SQL of the identity look-up (apps/organizations/selectors/identity.py calls it)."""

# Runs as the platform role, because memberships are isolated and the organization is what is being found out. It tells
# nothing that the caller's own token and membership do not open, and writes the settings only where they allow it.
ENTER = """
CREATE FUNCTION restartix_enter(
    subject text, wanted bigint, is_public boolean, trace jsonb,
    OUT user_id bigint, OUT user_name text, OUT user_email text, OUT is_superadmin boolean, OUT is_blocked boolean,
    OUT organization_id bigint, OUT slug text, OUT organization_name text, OUT timezone text, OUT locale text,
    OUT currency text, OUT status text, OUT role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    target bigint := wanted;
    stale boolean := false;
BEGIN
    IF subject IS NOT NULL THEN
        SELECT u.id, u.name, u.email, u.is_superadmin, u.blocked, COALESCE(wanted, u.current_organization_id),
               u.last_activity IS NULL OR u.last_activity < now() - interval '60 seconds'
          INTO user_id, user_name, user_email, is_superadmin, is_blocked, target, stale
          FROM organizations_user u WHERE u.clerk_user_id = subject;  -- a deleted user is blocked
        IF stale THEN
            UPDATE organizations_user SET last_activity = now() WHERE id = (
                SELECT u.id FROM organizations_user u WHERE u.id = user_id FOR NO KEY UPDATE SKIP LOCKED);
        END IF;
    END IF;
    IF target IS NOT NULL THEN
        SELECT o.id, o.slug, o.name, o.timezone, o.locale, o.currency, o.status, m.role
          INTO organization_id, slug, organization_name, timezone, locale, currency, status, role
          FROM organizations_organization o
          LEFT JOIN organizations_membership m
            ON m.organization_id = o.id AND m.user_id = restartix_enter.user_id AND m.status = 'active'
         WHERE o.id = target AND o.deleted_at IS NULL;
    END IF;
    -- a current organization that the user has left counts as none
    IF wanted IS NULL AND role IS NULL AND NOT COALESCE(is_superadmin, false) THEN
        organization_id := NULL;
    END IF;
    PERFORM set_config('app.org', CASE
                WHEN organization_id IS NOT NULL AND (role IS NOT NULL OR is_superadmin OR is_public)
                THEN organization_id::text ELSE '' END, true),
            set_config('app.user', COALESCE(user_id::text, ''), true),
            set_config('app.audit', (trace || jsonb_build_object(
                'actor_type', CASE WHEN user_id IS NULL THEN 'anonymous' ELSE 'user' END,
                'actor_id', user_id::text, 'actor_name', COALESCE(user_name, ''),
                'actor_role', CASE WHEN is_superadmin THEN 'superadmin' ELSE role END))::text, true);
END
$$;
ALTER FUNCTION restartix_enter(text, bigint, boolean, jsonb) OWNER TO restartix_platform;
"""
ENTER_REVERSE = "DROP FUNCTION restartix_enter(text, bigint, boolean, jsonb);"

# Domains are isolated, and a visitor who only knows a host name is in no organization yet.
DOMAIN = """
CREATE FUNCTION restartix_verified_domain(host text, OUT organization_id bigint, OUT kind text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT d.organization_id, d.kind FROM organizations_domain d WHERE d.domain = host AND d.status = 'verified'
$$;
ALTER FUNCTION restartix_verified_domain(text) OWNER TO restartix_platform;
"""
DOMAIN_REVERSE = "DROP FUNCTION restartix_verified_domain(text);"
