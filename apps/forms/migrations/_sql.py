"""SQL of the first migration that Django cannot say: versions are written once, values are of their field's entity."""

VERSION_GUARD = """
CREATE FUNCTION forms_guard_field_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version of a custom field is never changed or deleted' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER field_version_guard BEFORE UPDATE OR DELETE ON forms_customfieldversion
    FOR EACH ROW EXECUTE FUNCTION forms_guard_field_version();
CREATE TRIGGER field_version_kept BEFORE TRUNCATE ON forms_customfieldversion
    FOR EACH STATEMENT EXECUTE FUNCTION forms_guard_field_version();
"""
VERSION_GUARD_REVERSE = """
DROP TRIGGER field_version_kept ON forms_customfieldversion;
DROP TRIGGER field_version_guard ON forms_customfieldversion;
DROP FUNCTION forms_guard_field_version();
"""

#: A field of patients cannot have a specialist's value, nor change whose field it is while there are values.
VALUE_OF_FIELD = """
ALTER TABLE forms_customfieldvalue ADD CONSTRAINT field_value_of_its_field
    FOREIGN KEY (organization_id, custom_field_id, entity_type)
    REFERENCES forms_customfield (organization_id, id, entity_type) DEFERRABLE INITIALLY IMMEDIATE;
"""
VALUE_OF_FIELD_REVERSE = "ALTER TABLE forms_customfieldvalue DROP CONSTRAINT field_value_of_its_field;"
