"""The embedded servers: made once, set up with three roles, and clear about what keeps them from starting."""

import shutil
from collections import namedtuple

import psycopg
import pytest

from restartix.embedded import state
from restartix.embedded.postgres import Postgres
from restartix.embedded.processes import ServerFailed
from restartix.embedded.servers import Servers, borrowed
from restartix.embedded.valkey import Valkey

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def postgres(open_folder):
    server = Postgres(open_folder / "postgres", log=open_folder / "postgres.log", throwaway=True)
    server.start()
    yield server
    server.stop()


class TestPostgres:
    def test_has_three_roles_of_which_the_application_can_do_least(self, postgres):
        with postgres.connect() as connection:
            rows = connection.execute(
                "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolinherit FROM pg_roles "
                "WHERE rolname LIKE 'restartix_%' ORDER BY 1"
            ).fetchall()
        assert rows == [
            ("restartix_app", True, False, False, False),
            ("restartix_owner", True, False, False, True),
            ("restartix_platform", True, False, True, True),
        ]

    def test_lets_the_application_make_no_table(self, postgres):
        with (
            psycopg.connect(postgres.url("app")) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute("CREATE TABLE mine (id int)")

    def test_lets_the_application_become_the_platform_for_one_transaction(self, postgres):
        with psycopg.connect(postgres.url("app")) as connection:
            connection.execute("SET LOCAL ROLE restartix_platform")
            assert connection.execute("SELECT current_user").fetchone() == ("restartix_platform",)
            connection.rollback()
            assert connection.execute("SELECT current_user").fetchone() == ("restartix_app",)

    def test_sorts_and_keeps_text_in_utf8(self, postgres):
        with psycopg.connect(postgres.url("owner")) as connection:
            query = "SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'restartix'"
            assert connection.execute(query).fetchone() == ("UTF8", "C.UTF-8")

    def test_can_be_set_up_twice(self, postgres):
        postgres._make_database()

    def test_refuses_a_full_disk_in_words(self, open_folder, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 5_000_000))
        server = Postgres(open_folder / "full", log=open_folder / "full.log")
        with pytest.raises(ServerFailed, match=r"Only 5 MB are free .* PostgreSQL needs 150 MB"):
            server.start()
        assert not (open_folder / "full").exists()

    def test_that_cannot_start_names_its_log_and_the_reason(self, open_folder, postgres):
        other = Postgres(open_folder / "other", log=open_folder / "other.log", throwaway=True, port=postgres.port)
        other.answers = lambda: False  # it would take the first server's answers for its own
        with pytest.raises(ServerFailed, match=r"PostgreSQL ended with exit code 1; see .*other\.log") as failed:
            other.start()
        assert "Address already in use" in str(failed.value)


class TestValkey:
    def test_answers_and_forgets_nothing_it_was_given_over_a_restart(self, tmp_path):
        import redis

        for expected in (None, b"1"):
            server = Valkey(tmp_path / "valkey", log=tmp_path / "valkey.log")
            server.start()
            try:
                client = redis.Redis.from_url(server.url())
                assert client.get("kept") == expected
                client.set("kept", 1)
            finally:
                server.stop()


class TestTheDataFolder:
    def test_names_the_servers_only_while_their_launcher_lives(self, open_folder):
        folder = open_folder / "shared"
        assert state.read(folder) == {}
        with borrowed(folder, throwaway=True, named={}) as variables:
            assert state.addresses(folder)["database_url"] == variables["DATABASE_URL"]
            with state.owning(folder, wait=False) as held:
                assert not held
        assert state.read(folder) == {}
        assert "127.0.0.1:1/" in state.addresses(folder)["database_url"]

    def test_what_a_killed_launcher_wrote_is_not_believed(self, tmp_path):
        (tmp_path / "servers.lock").touch()
        (tmp_path / "servers.json").write_text('{"pid": 1, "database_url": "postgres://gone"}')
        assert state.read(tmp_path) == {}

    def test_servers_that_the_environment_names_are_not_started(self, tmp_path):
        named = {"DATABASE_URL": "postgres://elsewhere/db", "REDIS_URL": "redis://elsewhere"}
        servers = Servers(tmp_path, named=named)
        servers.start()
        assert servers.postgres is None
        assert servers.valkey is None
        assert servers.variables == {"RESTARTIX_EMBEDDED": ""}
