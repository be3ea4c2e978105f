"""New encryption keys: everything sealed is sealed anew, while the platform serves, whatever interrupts it."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from io import StringIO

import dns.rcode
import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from apps.organizations.models import ApiKey, AuditEntry
from apps.organizations.services import keys, rotation
from apps.profiles.models import PatientPerson
from restartix.diagnosis import sealing
from restartix.environment import ROOT
from restartix.kernel import crypto, rekeying
from restartix.kernel.crypto import SealedField
from restartix.kernel.tenancy import Actor, Trace, across_organizations
from tests import nameserver
from tests.make import organizations as make
from tests.make import profiles

NEW = "2:" + base64.b64encode(bytes(range(32))).decode()
DAILY = "dk_live_0123456789ABCD"


@pytest.fixture
def ring(settings):
    """Set the keys: `ring(NEW, old)`; the first seals."""
    before = list(settings.ENCRYPTION_KEYS)

    def use(*entries):
        settings.ENCRYPTION_KEYS = list(entries)
        crypto._keys.cache_clear()

    use.old = before[0]
    yield use
    settings.ENCRYPTION_KEYS = before
    crypto._keys.cache_clear()


def seal_much(cast, *, records=0):
    """Sealed values of several models in both clinics, and so many stored answers."""
    for number in range(5):
        profiles.patient(cast.sud, f"Patient {number}", phone=f"+4072100000{number}")
        profiles.patient(cast.nord, f"Other {number}", phone=f"+4072200000{number}")
    for clinic in (cast.sud, cast.nord):
        with make.within(clinic):
            keys.put(by=make.SYSTEM, service="daily", api_key=DAILY)
    rows = []
    for number in range(records):
        digest = number.to_bytes(32, "big")
        place = f"idempotency|{digest.hex()}"
        rows.append((digest, crypto.seal(f"answer {number}".encode(), place=place)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO organizations_idempotencyrecord (scope_digest, fingerprint, status, headers, body, "
            "created_at, expires_at) VALUES (%s, 'x', 200, '{}', %s, now(), now() + interval '1 day')",
            rows,
        )


def everything_opens(cast):
    with across_organizations(reason="test", actor=Actor.system("tests")), connection.cursor() as cursor:
        phones = {each.phone for each in PatientPerson.objects.all() if each.phone}
        cursor.execute("SELECT scope_digest, body FROM organizations_idempotencyrecord")
        for digest, body in cursor.fetchall():
            crypto.unseal(bytes(body), place=f"idempotency|{bytes(digest).hex()}")
    assert {"+40721000000", "+40722000004"} <= phones
    for clinic in (cast.sud, cast.nord):
        with make.within(clinic):
            assert keys.secret_of("daily") == DAILY


def left():
    return sum(rotation.outdated().values())


@pytest.mark.django_db
class TestTheRing:
    def test_finds_every_sealed_column_of_every_model_by_its_type(self):
        found = {str(column) for column in rekeying.sealed_columns()}

        assert {
            "organizations_apikey.api_key",
            "organizations_idempotencyrecord.body",
            "organizations_webhooksubscription.secret",
            "profiles_patientperson.phone",
            "scheduling_appointment.contact_phone",
        } <= found
        assert all(isinstance(column.field, SealedField) for column in rekeying.sealed_columns())

    def test_every_sealed_column_is_masked_in_the_trail(self):
        with connection.cursor() as cursor:
            for column in rekeying.sealed_columns():
                cursor.execute(
                    "SELECT tgargs FROM pg_trigger WHERE tgname = 'audit' AND tgrelid = %s::regclass", [column.table]
                )
                for (arguments,) in cursor.fetchall():
                    masked = bytes(arguments).split(b"\0")[4].decode().split(",")
                    assert column.name in masked, str(column)

    def test_seals_under_the_newest_and_opens_under_all(self, cast, ring):
        seal_much(cast)
        ring(NEW, ring.old)

        with make.within(cast.sud):
            assert keys.secret_of("daily") == DAILY
            keys.put(by=make.SYSTEM, service="crm", api_key=DAILY)
            versions = {key.service: bytes(key.api_key)[0] for key in ApiKey.objects.all()}
        assert versions == {"daily": 1, "crm": 2}


@pytest.mark.django_db
class TestRotating:
    def test_leaves_nothing_under_an_old_key_and_the_old_key_may_go(self, cast, ring):
        seal_much(cast, records=700)
        ring(NEW, ring.old)
        before = left()

        done = list(rotation.rotate())

        assert before == sum(each.sealed for each in done) >= 700 + 10 + 2
        assert left() == 0
        ring(NEW)
        everything_opens(cast)

    def test_changes_no_row_but_the_sealed_column(self, cast, ring):
        seal_much(cast)
        with make.within(cast.sud):
            before = ApiKey.objects.values("last4", "updated_at", "title").get()
        ring(NEW, ring.old)

        list(rotation.rotate())

        with make.within(cast.sud):
            assert ApiKey.objects.values("last4", "updated_at", "title").get() == before

    def test_tells_the_platforms_trail_how_many_and_no_clinic_of_a_change(self, cast, ring):
        seal_much(cast)
        ring(NEW, ring.old)
        with across_organizations(reason="test", actor=Actor.system("tests")):
            before = set(AuditEntry.objects.values_list("id", flat=True))

        list(rotation.rotate())

        with across_organizations(reason="test", actor=Actor.system("tests")):
            rows = AuditEntry.objects.exclude(id__in=before)
            assert {(row.organization_id, row.entity_type, row.entity_id, row.actor_id) for row in rows} == {
                (None, "encryption_key", "2", "rotate_encryption_keys")
            }
            told = {column: values["new"] for row in rows for column, values in row.changes.items()}
        assert told["organizations_apikey.api_key"] == 2
        assert told["profiles_patientperson.phone"] == 10

    def test_the_trail_still_tells_of_every_real_change(self, cast, ring):
        """Only the platform's role may have masked columns passed over, and only masked ones."""
        seal_much(cast)
        with make.within(cast.sud), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.resealing', 'api_key,last4', true)")
            keys.put(by=make.SYSTEM, service="daily", api_key="another-key-of-theirs")
            cursor.execute("SELECT set_config('app.resealing', '', true)")
            assert AuditEntry.objects.filter(entity_type="api_key", action="UPDATE").count() == 1
        with across_organizations(reason="test", actor=Actor.system("tests"), trace=Trace()):
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('app.resealing', 'api_key,last4', true)")
            ApiKey.objects.filter(organization=cast.sud).update(last4="ABCD")
            assert AuditEntry.objects.filter(entity_type="api_key", action="UPDATE").count() == 2

    def test_names_what_does_not_open_and_leaves_it(self, cast, ring, caplog):
        seal_much(cast)
        with make.within(cast.sud):
            ApiKey.objects.update(api_key=bytes([1]) + bytes(60))
        ring(NEW, ring.old)

        done = list(rotation.rotate())

        assert sum(each.unreadable for each in done) == left() == 1
        assert "organizations_apikey.api_key of row" in caplog.text
        with pytest.raises(SystemExit):
            call_command("rotate_encryption_keys", "--json", stdout=StringIO())

    def test_a_dry_run_counts_and_changes_nothing(self, cast, ring, capsys):
        seal_much(cast)
        ring(NEW, ring.old)

        call_command("rotate_encryption_keys", "--dry-run", "--json")

        told = json.loads(capsys.readouterr().out)
        assert (told["key"], told["dry_run"], told["sealed"]) == (2, True, 0)
        assert told["left"] == left() > 0


class TestWhileServing:
    def test_goes_on_beside_writes_and_waits_for_nobody(self, committed_db, cast, ring):
        seal_much(cast, records=1500)
        ring(NEW, ring.old)
        stop, problems, writes = threading.Event(), [], []

        def write():
            try:
                while not stop.is_set():
                    with make.within(cast.nord):
                        keys.put(by=make.SYSTEM, service="crm", api_key=f"written-{len(writes):08d}")
                        assert keys.secret_of("daily") == DAILY
                    writes.append(1)
            except Exception as error:  # noqa: BLE001
                problems.append(error)
            finally:
                connections.close_all()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            sealed = sum(each.sealed for each in rotation.rotate(batch=100))
        finally:
            time.sleep(0.1)
            stop.set()
            writer.join()

        assert (problems, left()) == ([], 0)
        assert sealed >= 1500
        assert len(writes) > 1
        ring(NEW)
        everything_opens(cast)
        with make.within(cast.nord):
            assert keys.secret_of("crm") == f"written-{len(writes) - 1:08d}"

    def test_passes_over_a_row_that_is_held_and_comes_back_to_it(self, committed_db, cast, ring):
        seal_much(cast)
        ring(NEW, ring.old)
        held, release = threading.Event(), threading.Event()

        def hold():
            try:
                with make.within(cast.sud), transaction.atomic():
                    ApiKey.objects.select_for_update().get(service="daily")
                    held.set()
                    release.wait(10)
            finally:
                connections.close_all()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait(10)
        threading.Timer(1.0, release.set).start()

        begun = time.monotonic()
        list(rotation.rotate())

        holder.join()
        assert time.monotonic() - begun > 0.9
        assert left() == 0

    def test_killed_half_way_it_goes_on_where_it_was(self, committed_db, cast, ring, test_servers):
        seal_much(cast, records=6000)
        environment = {**os.environ, **test_servers.variables, "ENCRYPTION_KEYS": f"{NEW},{ring.old}"}
        command = [sys.executable, "manage.py", "rotate_encryption_keys", "--json"]
        ring(NEW, ring.old)
        total = left()

        first = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while left() == total and first.poll() is None:
            time.sleep(0.005)
        first.send_signal(signal.SIGKILL)
        first.wait()
        midway = left()
        second = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

        assert first.returncode == -signal.SIGKILL
        assert 0 < midway < total
        assert second.returncode == 0, second.stderr
        told = json.loads(second.stdout)
        assert (told["sealed"], told["left"]) == (midway, 0)
        ring(NEW)
        everything_opens(cast)


class TestTheDoctor:
    def test_says_how_many_values_are_under_older_keys(self, committed_db, cast, ring):
        seal_much(cast)
        ring(NEW, ring.old)

        (before,) = sealing.encryption_keys()
        list(rotation.rotate())
        (after,) = sealing.encryption_keys()

        assert before.state == "warning"
        assert "2 in organizations_apikey.api_key" in before.found
        assert "rotate_encryption_keys" in before.mend
        assert (after.state, after.found) == ("ok", "key 2 seals, 2 open; under older keys: nothing")

    def test_says_whether_the_dns_answers(self, settings):
        with nameserver.running() as names:
            settings.DNS_NAMESERVERS = [names.address]
            (good,) = sealing.name_resolution()
            names.rcode = dns.rcode.REFUSED
            (bad,) = sealing.name_resolution()

        assert (good.state, bad.state) == ("ok", "warning")
        assert names.address.rpartition(":")[2] in good.found
        assert "DNS_NAMESERVERS" in bad.mend
