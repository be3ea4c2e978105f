"""SQL of the first migration that Django cannot say: who sees a person, and what may change of a consent."""

from restartix.kernel.protection import ACTIVE, SIGNED_IN_USER

#: A person belongs to no clinic: seen through a Patient row of the active one, or as oneself (contract/profiles.md 1.9).
PERSON_POLICY = f"""
ALTER TABLE profiles_patientperson ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY known_here ON profiles_patientperson
    USING (registered_by_id = {ACTIVE} OR user_id = {SIGNED_IN_USER} OR EXISTS (
        SELECT 1 FROM profiles_patient p
        WHERE p.person_id = profiles_patientperson.id AND p.organization_id = {ACTIVE}))
    WITH CHECK (registered_by_id = {ACTIVE} OR user_id = {SIGNED_IN_USER} OR EXISTS (
        SELECT 1 FROM profiles_patient p
        WHERE p.person_id = profiles_patientperson.id AND p.organization_id = {ACTIVE}));
"""
PERSON_POLICY_REVERSE = """
DROP POLICY known_here ON profiles_patientperson;
ALTER TABLE profiles_patientperson NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;
"""

CONSENT_GUARD = """
CREATE FUNCTION profiles_guard_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a consent is never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'withdrawn' OR to_jsonb(NEW) - '{status,withdrawn_at,withdrawn_by_id,withdrawal_note}'::text[]
            IS DISTINCT FROM to_jsonb(OLD) - '{status,withdrawn_at,withdrawn_by_id,withdrawal_note}'::text[] THEN
        RAISE EXCEPTION 'of a consent only the withdrawal may be added, once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER consent_guard BEFORE UPDATE OR DELETE ON profiles_consentrecord
    FOR EACH ROW EXECUTE FUNCTION profiles_guard_consent();
"""
CONSENT_GUARD_REVERSE = "DROP TRIGGER consent_guard ON profiles_consentrecord; DROP FUNCTION profiles_guard_consent();"

#: Overrides live inside one document of a row, yet keep an identity of their own (contract/profiles.md 1.8).
OVERRIDE_IDS = "CREATE SEQUENCE profiles_override_id AS bigint;"
OVERRIDE_IDS_REVERSE = "DROP SEQUENCE profiles_override_id;"
