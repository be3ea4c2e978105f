"""SQL of the audit chain: what alone may seal audit rows, and partitions that leave a checkpoint when they go."""

# Rows become visible in the order of their commits, not of their ids, but are sealed in order of id, so an id must be
# decided before a greater one is sealed. A transaction takes the lock RowExclusive on the audit table before it draws
# an id, and keeps it until its rows are visible or gone; so the ids drawn up to a moment are decided once all who held
# the lock after that moment have let it go. Transactions that audit nothing, and other databases, hold up nobody.
SEALING = r"""
INSERT INTO organizations_auditsealing VALUES (1, 0, 0, 0, '{}', clock_timestamp());
REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON organizations_auditsealing, organizations_audithead
    FROM restartix_app, restartix_platform;

CREATE POLICY sealing_reads ON organizations_auditentry FOR SELECT TO CURRENT_USER USING (true);
CREATE POLICY sealing_fills ON organizations_auditentry FOR UPDATE TO CURRENT_USER
    USING (seq IS NULL) WITH CHECK (seq IS NOT NULL);
CREATE POLICY sealing_moves ON organizations_audithead TO CURRENT_USER USING (true) WITH CHECK (true);

-- Moves the fence and tells which ids are sealed next: those after `after_id` up to `upto_id`; `last_id` is the newest.
-- Holds the sealer's lock until the end of the transaction; all is NULL while another sealer has it.
CREATE FUNCTION restartix_audit_range(OUT after_id bigint, OUT upto_id bigint, OUT last_id bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    state organizations_auditsealing;
    writers text[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'sealing has to see what was committed since its transaction began';
    END IF;
    IF NOT pg_try_advisory_xact_lock(7263784279) THEN
        RETURN;
    END IF;
    SELECT * INTO STRICT state FROM organizations_auditsealing;
    last_id := COALESCE(pg_sequence_last_value('organizations_auditentry_id_seq'), 0);
    writers := ARRAY(  -- only now: who drew an id up to last_id is among them, or has ended
        SELECT virtualtransaction FROM pg_locks
         WHERE locktype = 'relation' AND relation = 'organizations_auditentry'::regclass AND mode = 'RowExclusiveLock'
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND granted AND pid IS DISTINCT FROM pg_backend_pid());
    IF state.fence_id < last_id OR state.safe_id < state.fence_id THEN
        IF cardinality(writers) = 0 THEN
            state.safe_id := last_id;
        ELSIF NOT state.fence_writers && writers THEN
            state.safe_id := state.fence_id;
        END IF;
        IF cardinality(writers) = 0 OR NOT state.fence_writers && writers THEN
            UPDATE organizations_auditsealing SET safe_id = state.safe_id, fence_id = last_id,
                   fence_writers = writers, fenced_at = clock_timestamp();
        END IF;
    END IF;
    after_id := state.sealed_id;
    upto_id := state.safe_id;
END
$$;

-- Seals the next rows, whose ids are given in order and without omission: seq and prev_hash follow from the heads.
CREATE FUNCTION restartix_seal_audit(ids bigint[], hashes bytea[], salts bytea[], digests bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    state organizations_auditsealing;
    last_id bigint := ids[cardinality(ids)];
BEGIN
    IF NOT pg_try_advisory_xact_lock(7263784279) THEN
        RAISE EXCEPTION 'another sealer is at work' USING ERRCODE = 'lock_not_available';
    END IF;
    SELECT * INTO STRICT state FROM organizations_auditsealing;
    IF last_id IS NULL OR last_id > state.safe_id OR ids IS DISTINCT FROM ARRAY(
            SELECT id FROM organizations_auditentry WHERE id > state.sealed_id AND id <= last_id ORDER BY id, at) THEN
        RAISE EXCEPTION 'only the next decided rows are sealed, all of them and in order';
    END IF;
    PERFORM set_config('app.sealing', 'on', true);
    WITH entry AS (
        SELECT id, at, organization_id, row_number() OVER (ORDER BY id, at) AS place
          FROM organizations_auditentry WHERE id > state.sealed_id AND id <= last_id
    ), linked AS (
        SELECT e.id, e.at, e.organization_id, g.hash, g.salt, g.digest,
               COALESCE(h.seq, 0) + row_number() OVER chain AS seq,
               COALESCE(lag(g.hash) OVER chain, h.hash, decode(repeat('00', 32), 'hex')) AS prev_hash,
               lead(e.id) OVER chain IS NULL AS is_last
          FROM entry e
          JOIN unnest(hashes, salts, digests) WITH ORDINALITY AS g (hash, salt, digest, place) USING (place)
          LEFT JOIN organizations_audithead h ON COALESCE(h.organization_id, 0) = COALESCE(e.organization_id, 0)
        WINDOW chain AS (PARTITION BY e.organization_id ORDER BY place)
    ), filled AS (
        UPDATE organizations_auditentry e
           SET seq = l.seq, prev_hash = l.prev_hash, hash = l.hash, salt = l.salt, changes_digest = l.digest
          FROM linked l WHERE e.id = l.id AND e.at = l.at AND e.id > state.sealed_id AND e.id <= last_id
    )
    INSERT INTO organizations_audithead (organization_id, seq, hash, entry_id, sealed_at)
    SELECT organization_id, seq, hash, id, clock_timestamp() FROM linked WHERE is_last
    ON CONFLICT (organization_id) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash,
        entry_id = EXCLUDED.entry_id, sealed_at = EXCLUDED.sealed_at;
    PERFORM set_config('app.sealing', 'off', true);
    UPDATE organizations_auditsealing SET sealed_id = last_id;
END
$$;
REVOKE ALL ON FUNCTION restartix_audit_range(), restartix_seal_audit(bigint[], bytea[], bytea[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION restartix_audit_range(), restartix_seal_audit(bigint[], bytea[], bytea[], bytea[])
    TO restartix_platform;
"""
SEALING_REVERSE = """
DROP FUNCTION restartix_seal_audit(bigint[], bytea[], bytea[], bytea[]);
DROP FUNCTION restartix_audit_range();
DROP POLICY sealing_fills ON organizations_auditentry;
DROP POLICY sealing_reads ON organizations_auditentry;
"""

# Run by the owner, which alone can make and drop tables. A partition is a table of its own: nobody else may touch it.
PARTITIONS = r"""
CREATE FUNCTION restartix_make_audit_partition(month date) RETURNS text
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp);
    name text := 'organizations_auditentry_' || to_char(first, 'YYYYMM');
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF organizations_auditentry FOR VALUES FROM (%L) TO (%L)',
                   name, first, first + interval '1 month');
    EXECUTE format('REVOKE ALL ON %I FROM restartix_app, restartix_platform', name);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I '
                   'FOR EACH STATEMENT EXECUTE FUNCTION restartix_append_only()', name);
    RETURN name;
END
$$;

-- Drops a partition of sealed rows; the last row of each chain in it becomes the chain's checkpoint.
CREATE FUNCTION restartix_drop_audit_partition(partition regclass) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    is_sealed boolean;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_inherits
                    WHERE inhparent = 'organizations_auditentry'::regclass AND inhrelid = partition) THEN
        RAISE EXCEPTION '% is no partition of the audit table', partition;
    END IF;
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s WHERE seq IS NULL)', partition) INTO is_sealed;
    IF NOT is_sealed THEN
        RAISE EXCEPTION '% holds rows that are not sealed', partition USING ERRCODE = 'restrict_violation';
    END IF;
    EXECUTE format(
        'UPDATE organizations_audithead h SET checkpoint_seq = d.seq, checkpoint_hash = d.hash '
        'FROM (SELECT DISTINCT ON (organization_id) organization_id, seq, hash FROM %s '
        '      ORDER BY organization_id, seq DESC) d '
        'WHERE h.organization_id IS NOT DISTINCT FROM d.organization_id AND d.seq > COALESCE(h.checkpoint_seq, 0)',
        partition);
    EXECUTE format('DROP TABLE %s', partition);
END
$$;
REVOKE ALL ON FUNCTION restartix_make_audit_partition(date), restartix_drop_audit_partition(regclass) FROM PUBLIC;
"""
PARTITIONS_REVERSE = """
DROP FUNCTION restartix_drop_audit_partition(regclass);
DROP FUNCTION restartix_make_audit_partition(date);
"""
