"""SQL of the first migration that Django cannot say: the claim that an appointment must have, and public look-ups."""

CLAIM_CHECK = """
CREATE FUNCTION scheduling_check_claim(appointment bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    a record;
    claims integer;
    fitting integer;
BEGIN
    SELECT specialist_id, started_at, deleted_at IS NULL AND status IN ('booked', 'upcoming', 'confirmed', 'inprogress') AS active
      INTO a FROM scheduling_appointment WHERE id = appointment;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT count(*), count(*) FILTER (WHERE c.specialist_id = a.specialist_id AND c.starts_at = a.started_at)
      INTO claims, fitting FROM scheduling_claim c WHERE c.appointment_id = appointment;
    IF (a.active AND (claims <> 1 OR fitting <> 1)) OR (NOT a.active AND claims <> 0) THEN
        RAISE EXCEPTION 'appointment % has % claims, % of them fitting', appointment, claims, fitting
            USING ERRCODE = 'check_violation', CONSTRAINT = 'appointment_has_its_claim';
    END IF;
END
$$;

-- Runs at commit as the platform role, because a check that row-level security narrows would be none.
CREATE FUNCTION scheduling_claim_fits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_TABLE_NAME = 'scheduling_appointment' THEN
        PERFORM scheduling_check_claim(NEW.id);
    ELSE
        IF TG_OP <> 'INSERT' AND OLD.appointment_id IS NOT NULL THEN
            PERFORM scheduling_check_claim(OLD.appointment_id);
        END IF;
        IF TG_OP <> 'DELETE' AND NEW.appointment_id IS NOT NULL THEN
            PERFORM scheduling_check_claim(NEW.appointment_id);
        END IF;
    END IF;
    RETURN NULL;
END
$$;
ALTER FUNCTION scheduling_claim_fits() OWNER TO restartix_platform;
CREATE CONSTRAINT TRIGGER appointment_has_its_claim AFTER INSERT OR UPDATE OF status, specialist_id, started_at, deleted_at
    ON scheduling_appointment DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_claim_fits();
CREATE CONSTRAINT TRIGGER claim_fits_its_appointment AFTER INSERT OR UPDATE OR DELETE
    ON scheduling_claim DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION scheduling_claim_fits();
"""
CLAIM_CHECK_REVERSE = """
DROP TRIGGER claim_fits_its_appointment ON scheduling_claim;
DROP TRIGGER appointment_has_its_claim ON scheduling_appointment;
DROP FUNCTION scheduling_claim_fits();
DROP FUNCTION scheduling_check_claim(bigint);
"""

# A public operation takes its organization from the resource that it names. These answer nothing but that number, so
# that the application role needs no way round row-level security to learn it.
LOOKUPS = """
CREATE FUNCTION scheduling_organization_of_template(key bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM scheduling_appointmenttemplate WHERE id = key
$$;
CREATE FUNCTION scheduling_organization_of_hold(key uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM scheduling_hold WHERE hold_id = key
$$;
CREATE FUNCTION scheduling_organization_of_appointment(key uuid) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM scheduling_appointment WHERE uid = key
$$;
CREATE FUNCTION scheduling_organization_of_feed(key bytea) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM scheduling_calendarfeed WHERE token_digest = key
$$;
-- How many live holds one visitor has over all organizations: the quota is the visitor's, not the clinic's.
CREATE FUNCTION scheduling_live_holds(client bytea, address bytea, OUT by_client bigint, OUT by_address bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT (SELECT count(*) FROM scheduling_hold
             WHERE client_hash = client AND status = 'live' AND expires_at > clock_timestamp()),
           (SELECT count(*) FROM scheduling_hold
             WHERE address_hash = address AND status = 'live' AND expires_at > clock_timestamp())
$$;
ALTER FUNCTION scheduling_live_holds(bytea, bytea) OWNER TO restartix_platform;
ALTER FUNCTION scheduling_organization_of_template(bigint) OWNER TO restartix_platform;
ALTER FUNCTION scheduling_organization_of_hold(uuid) OWNER TO restartix_platform;
ALTER FUNCTION scheduling_organization_of_appointment(uuid) OWNER TO restartix_platform;
ALTER FUNCTION scheduling_organization_of_feed(bytea) OWNER TO restartix_platform;
"""
LOOKUPS_REVERSE = """
DROP FUNCTION scheduling_live_holds(bytea, bytea);
DROP FUNCTION scheduling_organization_of_template(bigint);
DROP FUNCTION scheduling_organization_of_hold(uuid);
DROP FUNCTION scheduling_organization_of_appointment(uuid);
DROP FUNCTION scheduling_organization_of_feed(bytea);
"""
