"""SQL of the search: how words are folded, and the triggers that keep what patients are found by."""

FOLDED = r"""
-- Small letters, no accents, one form of every character: text and what is looked for go through the same.
CREATE FUNCTION profiles_folded(words text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$ SELECT lower(unaccent(normalize(words, NFKC))) $$;

-- The pattern of LIKE for text that stands anywhere; what means something to LIKE means itself.
CREATE FUNCTION profiles_somewhere(words text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$
    SELECT '%' || regexp_replace(profiles_folded(words), '([\\%_])', '\\\1', 'g') || '%'
$$;

CREATE FUNCTION profiles_open_words(name text, login text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$ SELECT profiles_folded(concat_ws(E'\n', name, login)) $$;
"""
FOLDED_REVERSE = """
DROP FUNCTION profiles_open_words(text, text);
DROP FUNCTION profiles_somewhere(text);
DROP FUNCTION profiles_folded(text);
"""

# The functions run as the platform role: a person who is changed at one clinic is a patient of others too.
TRIGGERS = """
REVOKE INSERT, UPDATE, DELETE ON profiles_patientsearch FROM restartix_app;
ALTER TABLE profiles_patientsearch SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.05);

-- One after the other for each person: a file that is opened while another clinic changes the person, or the identity
-- provider the login, would else be written from what was true before. At most 4,096 locks, whatever is loaded at once.
CREATE FUNCTION profiles_find_in_turn(persons bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7263801, t.turn)
       FROM (SELECT DISTINCT (p % 4096)::int AS turn FROM unnest(persons) p ORDER BY 1) t;
END
$$;

CREATE FUNCTION profiles_find_patients() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM profiles_find_in_turn(ARRAY(SELECT f.person_id FROM fresh f));
    INSERT INTO profiles_patientsearch (organization_id, patient_id, open_words, gated_words, phone_grams)
    SELECT f.organization_id, f.id, profiles_open_words(p.name, u.email), profiles_folded(p.email), p.phone_grams
      FROM fresh f JOIN profiles_patientperson p ON p.id = f.person_id
      LEFT JOIN organizations_user u ON u.id = p.user_id;
    RETURN NULL;
END
$$;
ALTER FUNCTION profiles_find_patients() OWNER TO restartix_platform;
CREATE TRIGGER search AFTER INSERT ON profiles_patient REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION profiles_find_patients();

CREATE FUNCTION profiles_find_no_more() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM profiles_patientsearch WHERE patient_id = OLD.id;
    RETURN OLD;
END
$$;
ALTER FUNCTION profiles_find_no_more() OWNER TO restartix_platform;
CREATE TRIGGER search_no_more BEFORE DELETE ON profiles_patient
    FOR EACH ROW EXECUTE FUNCTION profiles_find_no_more();

CREATE FUNCTION profiles_find_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM profiles_find_in_turn(ARRAY[NEW.id]);
    UPDATE profiles_patientsearch s
       SET open_words = profiles_open_words(
               NEW.name, (SELECT u.email FROM organizations_user u WHERE u.id = NEW.user_id)),
           gated_words = profiles_folded(NEW.email), phone_grams = NEW.phone_grams
      FROM profiles_patient f
     WHERE f.person_id = NEW.id AND s.patient_id = f.id;
    RETURN NULL;
END
$$;
ALTER FUNCTION profiles_find_person() OWNER TO restartix_platform;
CREATE TRIGGER search AFTER UPDATE OF name, email, user_id, phone_grams ON profiles_patientperson
    FOR EACH ROW WHEN ((OLD.name, OLD.email, OLD.user_id, OLD.phone_grams)
                       IS DISTINCT FROM (NEW.name, NEW.email, NEW.user_id, NEW.phone_grams))
    EXECUTE FUNCTION profiles_find_person();

CREATE FUNCTION profiles_find_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM profiles_find_in_turn(ARRAY(SELECT p.id FROM profiles_patientperson p WHERE p.user_id = NEW.id));
    UPDATE profiles_patientsearch s SET open_words = profiles_open_words(p.name, NEW.email)
      FROM profiles_patient f JOIN profiles_patientperson p ON p.id = f.person_id
     WHERE p.user_id = NEW.id AND s.patient_id = f.id;
    RETURN NULL;
END
$$;
ALTER FUNCTION profiles_find_user() OWNER TO restartix_platform;
CREATE TRIGGER search AFTER UPDATE OF email ON organizations_user
    FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION profiles_find_user();

-- For rows that came past the triggers: those that are older, and those that are loaded in bulk.
CREATE FUNCTION profiles_find_missing() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    INSERT INTO profiles_patientsearch (organization_id, patient_id, open_words, gated_words, phone_grams)
    SELECT f.organization_id, f.id, profiles_open_words(p.name, u.email), profiles_folded(p.email), p.phone_grams
      FROM profiles_patient f JOIN profiles_patientperson p ON p.id = f.person_id
      LEFT JOIN organizations_user u ON u.id = p.user_id
     WHERE NOT EXISTS (SELECT FROM profiles_patientsearch s WHERE s.patient_id = f.id)
$$;
ALTER FUNCTION profiles_find_missing() OWNER TO restartix_platform;
SELECT profiles_find_missing();
REVOKE ALL ON FUNCTION profiles_find_missing() FROM PUBLIC;
"""
TRIGGERS_REVERSE = """
DROP TRIGGER search ON organizations_user;
DROP TRIGGER search ON profiles_patientperson;
DROP TRIGGER search_no_more ON profiles_patient;
DROP TRIGGER search ON profiles_patient;
DROP FUNCTION profiles_find_missing();
DROP FUNCTION profiles_find_user();
DROP FUNCTION profiles_find_person();
DROP FUNCTION profiles_find_no_more();
DROP FUNCTION profiles_find_patients();
DROP FUNCTION profiles_find_in_turn(bigint[]);
"""

#: The person's audit trigger is made anew, because traces of a phone number are as secret as the number.
NO_AUDIT = "DROP TRIGGER audit ON profiles_patientperson;"
OLD_AUDIT = """
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON profiles_patientperson FOR EACH ROW EXECUTE FUNCTION
    restartix_audit('patient_person', 'app.org', 'id', '', 'phone,phone_hash,emergency_contact_phone', 'updated_at');
"""
