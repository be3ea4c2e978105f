"""One web process over the wire: nonsense, and servers that go away."""

import json
import os
import socket

import pytest

from restartix.embedded.postgres import Postgres
from restartix.embedded.processes import wait_until
from restartix.testing.processes import WebServer, answers, fetch

pytestmark = pytest.mark.server


def said_to(port, data):
    """Send bytes and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def lost(test_servers, tmp_path_factory):
    """A web process whose database does not exist."""
    folder = tmp_path_factory.mktemp("lost")
    nowhere = "postgres://restartix_app@127.0.0.1:1/restartix"
    server = WebServer({**os.environ, **test_servers.variables, "DATABASE_URL": nowhere}, folder / "web.log")
    server.wait_until_ready()
    yield server
    server.kill()


class TestWithoutADatabase:
    def test_it_lives_and_is_not_ready_and_says_what_is_missing(self, lost):
        assert fetch(lost.url + "/healthz/live")[0] == 200
        status, parts = fetch(lost.url + "/healthz/ready")
        assert status == 503
        assert parts["database"] == "down"
        assert parts["broker"] == parts["storage"] == "ok"

    @pytest.mark.parametrize("nonsense", [b"HELLO\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    def test_what_is_not_http_is_answered_in_the_envelope(self, lost, nonsense):
        head, body = said_to(lost.port, nonsense).split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 400")
        assert json.loads(body)["error"]["code"] == "malformed_request"

    def test_a_stream_of_what_cannot_be_an_id_is_not_found(self, lost):
        for key in ("0" * 36, "-" * 36):
            assert fetch(f"{lost.url}/v1/scheduling/holds/{key}/stream")[0] == 404


def test_readiness_follows_the_database(test_servers, open_folder, tmp_path):
    postgres = Postgres(open_folder / "postgres", log=open_folder / "postgres.log", throwaway=True)
    postgres.start()
    variables = {**os.environ, **test_servers.variables, "DATABASE_URL": postgres.url("app")}
    server = WebServer(variables, tmp_path / "web.log")
    try:
        server.wait_until_ready()
        assert "pending" in fetch(server.url + "/healthz/ready")[1]["migrations"]
        postgres.stop()
        assert wait_until(lambda: fetch(server.url + "/healthz/ready")[1]["database"] == "down", seconds=10)
        postgres.start()
        assert wait_until(lambda: fetch(server.url + "/healthz/ready")[1]["database"] == "ok", seconds=10)
        assert server.stop() == 0
        assert not answers(server.url + "/healthz/live")
    finally:
        server.kill()
        postgres.stop()
