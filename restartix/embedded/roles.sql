-- The three roles of the one database. Run by a superuser, in that database; may be run again.
-- owner: owns the tables, used by migrations only. app: what the web and the workers are, bound by row-level security.
-- platform: not bound by it; the app becomes it for one transaction in the few places that read every clinic.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'restartix_owner') THEN
        CREATE ROLE restartix_owner LOGIN NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'restartix_app') THEN
        CREATE ROLE restartix_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'restartix_platform') THEN
        CREATE ROLE restartix_platform LOGIN NOSUPERUSER BYPASSRLS;
        GRANT restartix_platform TO restartix_owner, restartix_app;
    END IF;
    EXECUTE format('ALTER DATABASE %I OWNER TO restartix_owner', current_database());
END
$$;
GRANT CREATE, USAGE ON SCHEMA public TO restartix_owner, restartix_platform;
GRANT USAGE ON SCHEMA public TO restartix_app;
