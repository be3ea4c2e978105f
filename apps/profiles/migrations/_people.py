"""SQL of who may be linked to a clinic although row-level security does not show the person there yet."""

# Both run as the platform role, because a person whom only other clinics know is hidden here. They tell one id, of
# somebody whom the clinic knows as a user already, and nothing of the person.
PEOPLE = """
CREATE FUNCTION restartix_person_of_user(wanted bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT p.id FROM profiles_patientperson p JOIN organizations_user u ON u.id = p.user_id
     WHERE p.user_id = wanted AND u.deleted_at IS NULL
$$;
ALTER FUNCTION restartix_person_of_user(bigint) OWNER TO restartix_platform;

CREATE FUNCTION restartix_is_person_of_member(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM profiles_patientperson p
          JOIN organizations_membership m ON m.user_id = p.user_id AND m.status = 'active'
         WHERE p.id = wanted AND m.organization_id = NULLIF(current_setting('app.org', true), '')::bigint)
$$;
ALTER FUNCTION restartix_is_person_of_member(bigint) OWNER TO restartix_platform;
"""
PEOPLE_REVERSE = """
DROP FUNCTION restartix_person_of_user(bigint);
DROP FUNCTION restartix_is_person_of_member(bigint);
"""
