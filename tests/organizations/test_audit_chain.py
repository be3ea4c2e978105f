"""The chain over the audit trail: sealing under writers, and every way of tampering with what was sealed."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from io import StringIO

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction
from psycopg.rows import dict_row

from apps.organizations.domain import chain
from apps.organizations.models import AuditEntry, Organization
from apps.organizations.selectors.chains import ENTRIES, entry_of
from apps.organizations.services import anchoring, sealing
from apps.organizations.tasks import audit_seal
from restartix.environment import env
from restartix.kernel.tenancy import Actor, across_organizations, acting_for, outside_organizations
from tests.make.organizations import user, within

TESTER = Actor(kind="user", id=12, name="Ion", on_behalf_of=501)
WRITE = """
INSERT INTO organizations_auditentry (uid, organization_id, action, actor_type, actor_id, actor_role, on_behalf_of,
    entity_type, entity_id, patient_id, changes, ip, user_agent, request_id, method, path, status_code, source)
SELECT gen_random_uuid(), %s, 'UPDATE', 'user', '12', 'specialist', 501, 'appointment', n::text, 501,
    jsonb_build_object('status', jsonb_build_object('old', 'booked', 'new', 'confirmed ș'),
                       'price', jsonb_build_object('old', null, 'new', 10.50 + n),
                       'at', jsonb_build_object('new', now())),
    '203.0.113.7', 'curl', 'req-' || n, 'PUT', '/v1/appointments/' || n, 200, 'api'
  FROM generate_series(1, %s) n
"""


class Trail:
    """The trail of two clinics and the platform, and a superuser who may do anything to it."""

    def __init__(self, folder, superuser):
        self.anchors = folder / "anchors.jsonl"
        self.superuser = superuser
        # bare rows: what else a clinic begins with would only be counted
        self.sud = Organization.objects.create(slug="clinica-sud", name="Clinica Sud")
        self.nord = Organization.objects.create(slug="clinica-nord", name="Clinica Nord")

    def write(self, clinic, count):
        with within(clinic), connection.cursor() as cursor:
            cursor.execute(WRITE, [clinic.pk, count])

    def seal(self):
        return sealing.seal(anchors=self.anchors)

    def verify(self, *arguments):
        """Run the command and return its exit code and document."""
        out, code = StringIO(), 0
        try:
            call_command("audit_verify", "--json", *arguments, stdout=out)
        except SystemExit as end:
            code = end.code
        return code, json.loads(out.getvalue())

    def problems(self, *arguments):
        """Return (slug, seq, kind) of every problem, having looked that the rest of the answer agrees."""
        code, found = self.verify(*arguments)
        problems = [
            (one["slug"], problem["seq"], problem["kind"]) for one in found["chains"] for problem in one["problems"]
        ]
        assert (code, found["ok"]) == ((1, False) if problems else (0, True))
        assert all(one["ok"] is not bool(one["problems"]) for one in found["chains"])
        return problems

    def tamper(self, sql, *parameters):
        """Change rows of clinica-sud as a superuser with the triggers off, and return how many there were."""
        with self.superuser.transaction():
            self.superuser.execute("SET LOCAL session_replication_role = replica")
            where = f"organization_id = {self.sud.pk}"
            return self.superuser.execute(sql.replace("{sud}", where), parameters).rowcount

    def rows(self, clinic, columns="seq, id"):
        sql = f"SELECT {columns} FROM organizations_auditentry WHERE organization_id = %s ORDER BY seq, id"
        return self.superuser.execute(sql, [clinic.pk]).fetchall()

    def rewrite(self, sql, *parameters):
        """Change rows of clinica-sud, then hash every row and the head anew, so that all of it agrees again."""
        self.tamper(sql, *parameters)
        read = f"{ENTRIES} WHERE e.organization_id = %s AND e.seq IS NOT NULL ORDER BY e.id"
        entries = [entry_of(row) for row in self.superuser.execute(read, [self.sud.pk])]
        last = chain.ZEROS
        for seq, entry in enumerate(entries, 1):
            fields = {**entry.fields, "seq": seq, "prev_hash": last}
            before, last = bytes.fromhex(last), chain.row_hash(fields)
            self.tamper(
                "UPDATE organizations_auditentry SET seq = %s, prev_hash = %s, hash = %s WHERE id = %s",
                seq, before, bytes.fromhex(last), entry.id,
            )  # fmt: skip
        self.tamper("UPDATE organizations_audithead SET seq = %s, hash = %s WHERE {sud}", seq, bytes.fromhex(last))


@pytest.fixture
def trail(committed_db, test_servers, tmp_path):
    with test_servers.postgres.connect(test_servers.database) as superuser:
        yield Trail(tmp_path, superuser)


@pytest.fixture
def sealed(trail):
    """A trail of 30 sealed rows in clinica-sud (its creation among them), 11 in clinica-nord, one of the platform."""
    user("Ana Pop")
    trail.write(trail.sud, 15)
    trail.write(trail.nord, 10)
    trail.write(trail.sud, 14)
    trail.seal()
    return trail


class TestSealing:
    def test_gives_every_chain_its_numbers_in_order_of_id(self, sealed):
        code, found = sealed.verify()

        chains = {one["slug"]: one for one in found["chains"]}
        assert (code, found["ok"], found["checked"]) == (0, True, sum(one["sealed"] for one in found["chains"]))
        assert {"clinica-sud", "clinica-nord", None} == set(chains)
        for clinic, count in ((sealed.sud, 30), (sealed.nord, 11)):
            rows = sealed.rows(clinic)
            assert [seq for seq, _ in rows] == list(range(1, count + 1))
            assert rows == sorted(rows, key=lambda row: row[1])
            ((last,),) = sealed.rows(clinic, "encode(hash, 'hex')")[-1:]
            assert chains[clinic.slug] == {
                "organization_id": clinic.pk, "slug": clinic.slug, "entries": count, "sealed": count, "unsealed": 0,
                "first_seq": 1, "last_seq": count, "head_hash": last, "ok": True, "problems": [],
            }  # fmt: skip

    def test_goes_on_where_it_stopped(self, sealed):
        assert sealed.seal() == 0
        sealed.write(sealed.nord, 3)
        assert sealed.verify()[1]["chains"][-1]["unsealed"] == 3

        assert sealed.seal() == 3

        assert [seq for seq, _ in sealed.rows(sealed.nord)] == list(range(1, 15))
        assert sealed.problems() == []

    def test_has_batches_that_join(self, trail, monkeypatch):
        monkeypatch.setattr(sealing, "BATCH", 7)
        trail.write(trail.sud, 20)
        trail.write(trail.nord, 3)

        assert trail.seal() >= 25
        assert trail.problems("--anchors", str(trail.anchors)) == []

    def test_hashes_what_the_trigger_and_the_reads_wrote(self, trail):
        with acting_for(trail.sud.pk, actor=TESTER):
            Organization.objects.filter(pk=trail.sud.pk).update(
                settings={"a": 1.5e-9, "ț": [1, "\x01\u2028"]}, tagline="é\n"
            )
        with outside_organizations(actor=Actor.anonymous()):
            Organization.objects.filter(pk=trail.nord.pk).update(settings={"long": "x" * 3000})
        trail.seal()

        assert trail.problems() == []
        with within(trail.sud):
            entry = AuditEntry.objects.latest("id")
        assert entry.changes["settings.a"] == {"old": None, "new": 1.5e-9}
        assert (len(bytes(entry.salt)), len(bytes(entry.changes_digest)), len(bytes(entry.hash))) == (16, 32, 32)

    def test_works_by_command_and_as_periodic_task(self, trail):
        trail.write(trail.sud, 4)
        out = StringIO()
        call_command("audit_seal", "--json", stdout=out)
        assert json.loads(out.getvalue())["sealed"] >= 6
        trail.write(trail.sud, 4)

        assert audit_seal() == 4
        assert f'"organization_id":{trail.sud.pk},"seq":9,' in env.audit_anchor_path.read_text().splitlines()[-1]

    def test_leaves_no_gap_for_a_transaction_that_was_rolled_back(self, trail):
        with within(trail.sud), connection.cursor() as cursor:
            cursor.execute(WRITE, [trail.sud.pk, 5])
            transaction.set_rollback(True)
        trail.write(trail.sud, 2)
        trail.seal()

        assert [seq for seq, _ in trail.rows(trail.sud)] == [1, 2, 3]
        assert trail.problems() == []

    def test_waits_for_a_transaction_that_began_to_write_earlier(self, trail, test_servers, monkeypatch):
        monkeypatch.setattr(sealing, "PATIENCE", 0.1)
        trail.seal()
        with psycopg.connect(test_servers.variables["DATABASE_URL"]) as late:
            late.execute("SELECT set_config('app.org', %s, true)", [str(trail.sud.pk)])
            late.execute(WRITE, [trail.sud.pk, 2])
            trail.write(trail.sud, 2)
            trail.write(trail.nord, 1)

            assert trail.seal() == 0
            late.execute(WRITE, [trail.sud.pk, 1])
            late.commit()

        assert trail.seal() == 6
        rows = trail.rows(trail.sud)
        assert [seq for seq, _ in rows] == [1, 2, 3, 4, 5, 6]
        assert rows == sorted(rows, key=lambda row: row[1])
        assert trail.problems() == []

    def test_waits_for_nobody_who_audits_nothing_or_began_later(self, trail, test_servers, monkeypatch):
        monkeypatch.setattr(sealing, "PATIENCE", 0.3)
        with psycopg.connect(test_servers.variables["DATABASE_PLATFORM_URL"]) as other:
            other.execute("SELECT pg_current_xact_id()")
            trail.write(trail.sud, 2)
            assert trail.seal() >= 4
            # the fence is up already; who writes after it holds up only the next one
            other.execute(WRITE, [trail.sud.pk, 1])
            assert trail.seal() == 0
            other.rollback()
        assert trail.problems() == []

    def test_keeps_every_chain_whole_while_many_write(self, trail):
        stop = threading.Event()

        def write(number):
            clinic = (trail.sud, trail.nord)[number % 2]
            try:
                for turn in range(25):
                    with within(clinic), connection.cursor() as cursor:
                        cursor.execute(WRITE, [clinic.pk, 1 + turn % 3])
                        time.sleep(0.003)
                        cursor.execute(WRITE, [clinic.pk, 1])
                        if turn % 5 == number:
                            transaction.set_rollback(True)
            finally:
                connections.close_all()

        def seal():
            try:
                while not stop.is_set():
                    trail.seal()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(7) as pool:
            sealers = [pool.submit(seal) for _ in range(2)]
            writers = [pool.submit(write, number) for number in range(5)]
            wait(writers)
            stop.set()
        for done in (*writers, *sealers):
            done.result()
        trail.seal()

        code, found = trail.verify("--anchors", str(trail.anchors))
        assert (code, [one["unsealed"] for one in found["chains"]]) == (0, [0, 0, 0])
        for clinic in (trail.sud, trail.nord):
            rows = trail.rows(clinic)
            assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
            assert rows == sorted(rows, key=lambda row: row[1])

    def test_is_done_by_one_at_a_time(self, trail):
        trail.write(trail.sud, 3)
        with trail.superuser.transaction():
            trail.superuser.execute("SELECT pg_advisory_xact_lock(7263784279)")
            assert trail.seal() == 0

        assert trail.seal() >= 5


class TestAnchors:
    def test_one_line_a_sealing_tells_of_the_chains_that_grew(self, sealed):
        sealed.seal()
        sealed.write(sealed.nord, 2)
        sealed.seal()

        first, second = [json.loads(line) for line in sealed.anchors.read_text().splitlines()]
        ends = {head["organization_id"]: head["seq"] for head in first["heads"]}
        assert (ends[sealed.sud.pk], ends[sealed.nord.pk], len(ends)) == (30, 11, 3)
        ((digest,),) = sealed.rows(sealed.nord, "encode(hash, 'hex')")[-1:]
        assert second["heads"] == [{"organization_id": sealed.nord.pk, "seq": 13, "hash": digest}]
        assert second["at"].endswith("Z")

    def test_a_line_that_was_lost_or_cut_off_is_made_up_for(self, sealed):
        whole = sealed.anchors.read_bytes()
        sealed.anchors.write_bytes(whole + whole[:40])
        sealed.seal()
        assert sealed.anchors.read_bytes().startswith(whole + whole[:40] + b"\n{")

        sealed.anchors.unlink()
        anchoring.append_heads(sealed.anchors)
        assert json.loads(sealed.anchors.read_bytes())["heads"] == json.loads(whole)["heads"]
        assert sealed.problems("--anchors", str(sealed.anchors)) == []

    def test_the_last_line_is_found_however_long_it_is(self, sealed):
        whole = json.loads(sealed.anchors.read_bytes())
        whole["heads"] *= 200
        sealed.anchors.write_text("".join(json.dumps(line) + "\n" for line in ({**whole, "entry_id": 1}, whole)))

        assert anchoring.append_heads(sealed.anchors) is False


class TestTampering:
    def test_a_changed_column_is_found_in_its_row(self, sealed):
        assert sealed.tamper("UPDATE organizations_auditentry SET path = '/x' WHERE {sud} AND seq = 7") == 1
        assert sealed.problems() == [("clinica-sud", 7, "hash_mismatch")]

    @pytest.mark.parametrize("column", ["seq", "prev_hash", "hash", "salt", "changes_digest"])
    def test_a_chain_column_that_was_emptied_is_found(self, sealed, column):
        sealed.tamper(f"UPDATE organizations_auditentry SET {column} = NULL WHERE {{sud}} AND seq = 7")

        assert sealed.problems()

    def test_every_column_of_the_hash_counts(self, sealed):
        columns = {
            "action": "'READ'", "actor_type": "'service'", "actor_id": "'13'", "actor_role": "'admin'",
            "at": "at + interval '1 microsecond'", "claimed_at": "now()", "entity_id": "'x'", "entity_type": "'x'",
            "impersonation_id": "1", "ip": "'203.0.113.8'", "method": "'GET'", "on_behalf_of": "9", "path": "NULL",
            "patient_id": "9", "request_id": "'x'", "service": "'x'", "source": "'shell'", "status_code": "201",
            "user_agent": "''", "uid": "gen_random_uuid()",
        }  # fmt: skip
        for seq, (column, value) in enumerate(columns.items(), 3):
            sealed.tamper(f"UPDATE organizations_auditentry SET {column} = {value} WHERE {{sud}} AND seq = {seq}")

        assert sealed.problems() == [("clinica-sud", seq, "hash_mismatch") for seq in range(3, 3 + len(columns))]

    def test_changed_changes_are_found(self, sealed):
        sealed.tamper("""UPDATE organizations_auditentry SET changes = '{"status": {}}' WHERE {sud} AND seq = 7""")
        sealed.tamper("UPDATE organizations_auditentry SET salt = '\\x00' WHERE {sud} AND seq = 8")
        sealed.tamper("UPDATE organizations_auditentry SET changes = NULL, salt = NULL WHERE {sud} AND seq = 9")

        assert sealed.problems() == [("clinica-sud", seq, "changes_mismatch") for seq in (7, 8, 9)]

    def test_redacted_rows_still_hold(self, sealed):
        sealed.tamper(
            "UPDATE organizations_auditentry SET changes = NULL, salt = NULL, redacted = true WHERE {sud} AND seq > 7"
        )
        assert sealed.problems() == []

    def test_a_missing_row_is_a_gap(self, sealed):
        sealed.tamper("DELETE FROM organizations_auditentry WHERE {sud} AND seq = 7")
        assert sealed.problems() == [("clinica-sud", 7, "gap")]

    def test_the_missing_first_row_is_a_gap(self, sealed):
        sealed.tamper("DELETE FROM organizations_auditentry WHERE {sud} AND seq = 1")
        assert sealed.problems() == [("clinica-sud", 1, "gap")]

    def test_a_missing_end_is_found(self, sealed):
        assert sealed.tamper("DELETE FROM organizations_auditentry WHERE {sud} AND seq > 20") == 10
        assert sealed.problems() == [("clinica-sud", 21, "truncated")]
        assert sealed.problems("--anchors", str(sealed.anchors)) == [("clinica-sud", 21, "truncated")]

    def test_a_chain_that_is_gone_with_its_head_is_found_by_the_anchors(self, sealed):
        for table in ("organizations_auditentry", "organizations_audithead"):
            sealed.tamper(f"DELETE FROM {table} WHERE {{sud}}")

        assert sealed.problems() == []
        assert sealed.problems("--anchors", str(sealed.anchors)) == [("clinica-sud", 1, "truncated")]

    def test_a_missing_end_is_found_by_the_anchors_when_the_head_was_set_back(self, sealed):
        sealed.rewrite("DELETE FROM organizations_auditentry WHERE {sud} AND seq > 20")

        assert sealed.problems() == []
        assert sealed.problems("--anchors", str(sealed.anchors)) == [("clinica-sud", 21, "truncated")]

    @pytest.mark.parametrize("swapped", ["seq", "prev_hash, hash", "seq, prev_hash, hash", "id"])
    def test_rows_that_changed_places_are_found(self, sealed, swapped):
        taken = ", ".join(f"b.{column.strip()}" for column in swapped.split(","))
        sealed.tamper(
            f"UPDATE organizations_auditentry a SET ({swapped}) = ROW({taken}) FROM organizations_auditentry b "
            "WHERE a.{sud} AND b.{sud} AND (a.seq, b.seq) IN ((5, 9), (9, 5))"
        )
        assert sealed.problems()

    def test_a_row_that_was_hashed_anew_breaks_the_link_to_the_next(self, sealed):
        sealed.rewrite("UPDATE organizations_auditentry SET path = '/x' WHERE {sud} AND seq = 7")
        later = sealed.superuser.execute("SELECT id FROM organizations_auditentry WHERE seq = 8 AND path IS NOT NULL")
        sealed.tamper("UPDATE organizations_auditentry SET prev_hash = hash WHERE id = %s", later.fetchone()[0])

        assert {kind for _, _, kind in sealed.problems()} == {"hash_mismatch", "link_mismatch"}

    def test_a_changed_head_is_found(self, sealed):
        sealed.tamper("UPDATE organizations_audithead SET hash = sha256('x') WHERE {sud}")
        assert sealed.problems() == [("clinica-sud", 30, "head_mismatch")]
        sealed.tamper("UPDATE organizations_audithead SET seq = 29 WHERE {sud}")
        assert sealed.problems() == [("clinica-sud", 30, "head_mismatch")]
        sealed.tamper("DELETE FROM organizations_audithead WHERE {sud}")
        assert sealed.problems() == [("clinica-sud", 30, "head_mismatch")]

    def test_a_whole_chain_that_was_rewritten_is_found_by_the_anchors_alone(self, sealed):
        sealed.rewrite("UPDATE organizations_auditentry SET path = '/x' WHERE {sud} AND seq = 7")
        sealed.write(sealed.sud, 3)
        sealed.seal()

        assert sealed.problems() == []
        assert sealed.problems("--anchors", str(sealed.anchors)) == [("clinica-sud", 30, "head_mismatch")]

    def test_a_row_left_out_of_a_rewritten_chain_that_grew_is_found_by_the_anchors(self, sealed):
        sealed.rewrite("DELETE FROM organizations_auditentry WHERE {sud} AND seq = 7")
        sealed.write(sealed.sud, 3)
        sealed.seal()

        assert sealed.problems() == []
        assert sealed.problems("--anchors", str(sealed.anchors)) == [("clinica-sud", 30, "head_mismatch")]

    def test_a_row_moved_to_another_clinic_is_found_in_both(self, sealed):
        sealed.tamper(
            f"UPDATE organizations_auditentry SET organization_id = {sealed.nord.pk} WHERE {{sud}} AND seq = 7"
        )

        found = sealed.problems()
        assert ("clinica-sud", 7, "gap") in found
        assert ("clinica-nord", 7, "hash_mismatch") in found

    def test_a_forged_row_is_never_sealed_and_told_of(self, sealed):
        sealed.tamper(
            "INSERT INTO organizations_auditentry "
            "(id, uid, organization_id, at, action, actor_type, entity_type, source) "
            f"SELECT min(id), gen_random_uuid(), {sealed.sud.pk}, now() - interval '2 minutes', 'READ', 'user', 'x', "
            "'api' FROM organizations_auditentry WHERE {sud}"
        )
        assert sealed.seal() == 0
        assert sealed.problems() == [("clinica-sud", None, "unsealed_late")]

    def test_rows_that_nobody_seals_are_told_of(self, trail):
        trail.tamper(
            "INSERT INTO organizations_auditentry (uid, organization_id, at, action, actor_type, entity_type, source) "
            f"VALUES (gen_random_uuid(), {trail.sud.pk}, now() - interval '61 s', 'READ', 'user', 'x', 'api')"
        )
        assert trail.problems() == [("clinica-sud", None, "unsealed_late")]
        trail.seal()
        assert trail.problems() == []


class TestTheCommand:
    def test_looks_at_one_organization_from_one_row_on(self, sealed):
        sealed.tamper("UPDATE organizations_auditentry SET path = '/x' WHERE {sud} AND seq = 7")

        assert sealed.problems("--organization", "clinica-nord", "--anchors", str(sealed.anchors)) == []
        assert sealed.problems("--organization", "clinica-sud") == [("clinica-sud", 7, "hash_mismatch")]
        code, found = sealed.verify(
            "--organization", "clinica-sud", "--from-seq", "8", "--anchors", str(sealed.anchors)
        )
        (one,) = found["chains"]
        assert (code, one["entries"], one["first_seq"], one["last_seq"]) == (0, 23, 8, 30)
        assert sealed.problems("--from-seq", "1000") == []

    def test_shows_people_the_first_broken_row(self, sealed):
        out = StringIO()
        sealed.tamper("DELETE FROM organizations_auditentry WHERE {sud} AND seq = 7")
        with pytest.raises(SystemExit) as end:
            call_command("audit_verify", stdout=out)

        assert end.value.code == 1
        assert "BROKEN clinica-sud: 29 sealed (1 to 30), 0 not yet" in out.getvalue()
        assert "seq 7, uid None: gap" in out.getvalue()
        assert "ok     clinica-nord: 11 sealed (1 to 11), 0 not yet" in out.getvalue()

    @pytest.mark.parametrize("wrong", [["--from-seq", "0"], ["--anchors", "/nowhere"], ["--organization", "nobody"]])
    def test_refuses_what_makes_no_sense(self, trail, wrong):
        with pytest.raises(CommandError):
            call_command("audit_verify", *wrong, stdout=StringIO())


def run(scope, *statements):
    """Execute the statements in `scope`, each as text or with its parameters."""
    with scope, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(*((statement,) if isinstance(statement, str) else statement))


class TestGuards:
    """Who may write what, without tampering."""

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE organizations_auditentry SET path = 'x'",
            "UPDATE organizations_auditentry SET seq = 1 WHERE seq IS NULL",
            "DELETE FROM organizations_auditentry",
            "TRUNCATE organizations_auditentry",
            "TRUNCATE organizations_auditentry_default",
            "SELECT * FROM organizations_auditentry_default",
            "UPDATE organizations_audithead SET seq = 1",
            "DELETE FROM organizations_audithead",
            "INSERT INTO organizations_audithead (seq, hash, entry_id, sealed_at) VALUES (1, '', 1, now())",
            "UPDATE organizations_auditsealing SET sealed_id = 0",
            "INSERT INTO organizations_auditentry (action, entity_type, source, seq) VALUES ('READ', 'x', 'api', 5)",
            "SELECT restartix_drop_audit_partition('organizations_auditentry_default')",
        ],
    )
    def test_application_and_platform_write_nothing_of_the_chain(self, sealed, sql):
        for scope in (within(sealed.sud), across_organizations(reason="test", actor=TESTER)):
            with pytest.raises(DatabaseError, match=r"permission denied|append-only"):
                run(scope, "SELECT set_config('app.sealing', 'on', true)", sql)
        assert sealed.problems() == []

    def test_the_application_role_cannot_seal(self, trail):
        for sql in ("SELECT restartix_seal_audit('{1}', '{x}', '{x}', '{x}')", "SELECT restartix_audit_range()"):
            with pytest.raises(DatabaseError, match="permission denied"):
                run(within(trail.sud), sql)

    @pytest.mark.parametrize(
        "sql",
        [
            "UPDATE organizations_auditentry SET path = 'x'",
            "UPDATE organizations_auditentry SET seq = 100, hash = 'x' WHERE seq IS NULL",
            "UPDATE organizations_auditentry SET hash = 'x' WHERE seq IS NOT NULL",
            "DELETE FROM organizations_auditentry",
            "TRUNCATE organizations_auditentry",
            "TRUNCATE organizations_auditentry_default",
        ],
    )
    def test_even_the_owner_changes_nothing(self, sealed, test_servers, sql):
        sealed.write(sealed.sud, 1)
        with psycopg.connect(test_servers.variables["DATABASE_OWNER_URL"]) as owner:
            owner.execute("SELECT set_config('app.org', %s, true)", [str(sealed.sud.pk)])
            with pytest.raises(psycopg.errors.RestrictViolation):
                owner.execute(sql)

    @pytest.mark.parametrize(
        "chosen", ["1:", "::-1", "::2", "4:"], ids=["the first left out", "turned round", "holes", "none"]
    )
    def test_rows_are_sealed_in_order_and_none_is_left_out(self, sealed, chosen):
        sealed.write(sealed.sud, 4)
        ids = [key for seq, key in sealed.rows(sealed.sud) if seq is None]
        ids = ids[slice(*(int(part) if part else None for part in chosen.split(":")))]

        digests = [b"x" * 32 for _ in ids]
        scope = across_organizations(reason="test", actor=TESTER)
        with pytest.raises(DatabaseError, match="all of them and in order"):
            run(scope, "SELECT restartix_audit_range()", (sealing._SEAL, [ids, digests, digests, digests]))

    def test_no_column_of_the_trail_is_without_its_guard(self, trail):
        unguarded = trail.superuser.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'organizations_auditentry'::regclass AND attnum > 0 "
            "AND NOT attisdropped AND attnum <> ALL ((SELECT tgattr FROM pg_trigger WHERE tgname = 'append_only' "
            "AND tgrelid = attrelid)::int2[])"
        )
        assert {name for (name,) in unguarded} == {"seq", "prev_hash", "hash", "salt", "changes_digest"}


class TestPartitions:
    @pytest.fixture
    def old(self, trail, test_servers):
        """A trail whose first rows lie in a partition of January 2019, and the owner, who may drop it."""
        with psycopg.connect(
            test_servers.variables["DATABASE_OWNER_URL"], autocommit=True, row_factory=dict_row
        ) as owner:
            name = owner.execute("SELECT restartix_make_audit_partition('2019-01-17') AS name").fetchone()["name"]
            assert name == "organizations_auditentry_201901"
            trail.tamper("UPDATE organizations_auditentry SET at = '2019-01-31 23:59:59+00'")
            trail.write(trail.sud, 3)
            trail.owner = owner
            yield trail
            owner.execute("DROP TABLE IF EXISTS organizations_auditentry_201901")

    DROP = "SELECT restartix_drop_audit_partition('organizations_auditentry_201901')"

    def test_leave_a_checkpoint_when_they_are_dropped(self, old):
        old.seal()
        old.owner.execute(self.DROP)
        old.write(old.nord, 1)
        old.seal()

        code, found = old.verify("--anchors", str(old.anchors))
        assert [(one["slug"], one["entries"], one["first_seq"], one["last_seq"]) for one in found["chains"]] == [
            (None, 0, None, None), ("clinica-sud", 3, 2, 4), ("clinica-nord", 1, 2, 2),
        ]  # fmt: skip
        assert code == 0
        old.tamper("DELETE FROM organizations_auditentry WHERE {sud} AND seq = 2")
        assert old.problems() == [("clinica-sud", 2, "gap")]

    def test_may_leave_a_row_that_was_written_across_the_month(self, old):
        old.tamper("UPDATE organizations_auditentry SET at = at + interval '2 s' WHERE {sud}")
        old.tamper(
            "UPDATE organizations_auditentry SET at = '2019-01-31 23:59:59+00' "
            "WHERE {sud} AND path = '/v1/appointments/1'"
        )
        old.seal()
        old.owner.execute(self.DROP)

        assert [seq for seq, _ in old.rows(old.sud)] == [1, 3, 4]
        assert old.problems() == []
        old.tamper("UPDATE organizations_auditentry SET path = '/x' WHERE {sud} AND seq = 1")
        assert old.problems() == [("clinica-sud", 1, "hash_mismatch")]

    def test_stay_while_they_hold_rows_that_are_not_sealed(self, old):
        with pytest.raises(psycopg.errors.RestrictViolation, match="not sealed"):
            old.owner.execute(self.DROP)

    def test_are_closed_to_everybody_but_the_owner(self, old):
        for sql in ("SELECT * FROM organizations_auditentry_201901", "DELETE FROM organizations_auditentry_201901"):
            with pytest.raises(DatabaseError, match="permission denied"):
                run(within(old.sud), sql)
        with pytest.raises(psycopg.errors.RestrictViolation):
            old.owner.execute("TRUNCATE organizations_auditentry_201901")
