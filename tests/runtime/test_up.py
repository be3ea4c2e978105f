"""`manage.py up`: starts, is found by other commands, mends itself, stops, and leaves nothing behind."""

import json
import os
import signal
import socket
import time

import pytest

from restartix.embedded.processes import wait_until
from restartix.testing.processes import Up, alive, answers, descendants, fetch, manage

pytestmark = pytest.mark.server

HALF_A_REQUEST = (
    b"POST /v1/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{"
)


class TestBeforeAnythingIsStarted:
    def test_a_port_that_is_taken_is_named(self, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            done = manage("up", "--port", port, "--data-dir", str(tmp_path / "data"))
        assert done.returncode == 1
        assert f"port {port} on 127.0.0.1 is taken" in done.stderr
        assert not (tmp_path / "data" / "postgres").exists()

    @pytest.mark.parametrize("usage", ["--port=many", "--port=65536", "--port=-1", "--workers=0"])
    def test_wrong_usage_exits_with_2(self, usage):
        assert manage("up", usage).returncode == 2

    def test_production_without_a_secret_key_says_what_to_set(self, tmp_path):
        done = manage("up", "--data-dir", str(tmp_path), DEBUG="off")
        assert done.returncode == 1
        assert "SECRET_KEY" in done.stderr
        assert "Traceback" not in done.stderr


class TestWhileItRuns:
    """One `up` with two web processes, asked and ill-treated in turn."""

    @pytest.fixture(scope="class")
    def up(self, prepared):
        up = Up(prepared, "--workers", "2")
        up.wait_until_ready()
        yield up
        up.end()

    def test_the_last_line_says_ready_with_host_and_port(self, up):
        assert any(line == f"ready {up.url}" for line in up.said)

    def test_it_is_live_and_ready(self, up):
        assert fetch(up.url + "/healthz/live")[0] == 200
        assert wait_until(lambda: answers(up.url + "/healthz/ready"), seconds=20)
        assert fetch(up.url + "/healthz/ready")[1] == {
            "database": "ok",
            "broker": "ok",
            "storage": "ok",
            "migrations": "ok",
        }

    def test_it_has_as_many_web_processes_as_asked_and_one_worker_and_beat(self, up):
        assert wait_until(lambda: len(up.processes_of("restartix.web")) == 2, seconds=20)
        assert len(up.processes_of("restartix.celery worker")) == 1
        assert len(up.processes_of("restartix.celery beat")) == 1

    def test_a_second_one_is_refused_and_told_who_has_the_data_folder(self, up):
        done = manage("up", "--port", "0", "--data-dir", str(up.data_dir))
        assert done.returncode == 1
        assert f"in use by process {up.process.pid}" in done.stderr

    def test_a_command_in_another_terminal_reaches_the_same_servers(self, up):
        with up.superuser() as connection:
            connection.execute(
                "INSERT INTO django_content_type (app_label, model) VALUES ('seen', 'here') ON CONFLICT DO NOTHING"
            )
        look = "from django.contrib.contenttypes.models import *; print(ContentType.objects.get(app_label='seen'))"
        done = manage("shell", "-v0", "-c", look, DATA_DIR=str(up.data_dir))
        assert "here" in done.stdout, done.stderr

    def test_a_killed_web_process_comes_back(self, up):
        os.kill(up.processes_of("restartix.web")[0], signal.SIGKILL)
        up.wait_for("was ended by SIGKILL: starting it again")
        assert wait_until(lambda: answers(up.url + "/healthz/ready"), seconds=20)

    def test_a_killed_database_is_named_and_comes_back_with_what_it_acknowledged(self, up):
        with up.superuser() as connection:
            connection.execute("CREATE TABLE acknowledged AS SELECT 1 AS one")
        os.kill(up.processes_of("bin/postgres -D")[0], signal.SIGKILL)
        up.wait_for("PostgreSQL was ended by SIGKILL: starting it again")
        up.wait_for("PostgreSQL runs again")
        assert wait_until(lambda: answers(up.url + "/healthz/ready"), seconds=20)
        with up.superuser() as connection:
            assert connection.execute("SELECT one FROM acknowledged").fetchone() == (1,)
            connection.execute("DROP TABLE acknowledged")


class TestTheEnd:
    def test_lets_a_request_in_flight_finish_while_readiness_is_false_and_leaves_no_process(self, start):
        up = start(WEB_SHUTDOWN_NOTICE="1")
        running = descendants(up.process.pid)
        with socket.create_connection(("127.0.0.1", up.port)) as request:
            request.sendall(HALF_A_REQUEST)
            time.sleep(0.3)
            up.process.send_signal(signal.SIGTERM)
            time.sleep(0.4)
            status, parts = fetch(up.url + "/healthz/ready")
            assert (status, parts["process"]) == (503, "stopping")
            time.sleep(1)
            request.sendall(b"}")
            assert request.recv(65536).startswith(b"HTTP/1.1 404")
        assert up.stop() == 0
        assert len(running) > 5
        assert not alive(running)

    def test_keeps_the_data_and_makes_the_second_start_quick(self, start):
        first = start()
        with first.superuser() as connection:
            connection.execute("CREATE TABLE kept AS SELECT 'still here' AS word")
        assert first.stop(signal.SIGINT) == 0
        second = start()
        assert not any("migrations applied" in line for line in second.said)
        with second.superuser() as connection:
            assert connection.execute("SELECT word FROM kept").fetchone() == ("still here",)
            connection.execute("DROP TABLE kept")

    def test_leaves_no_orphan_even_when_it_is_killed(self, start):
        up = start()
        running = descendants(up.process.pid)
        up.process.kill()
        up.process.wait()
        assert wait_until(lambda: not alive(running), seconds=15), alive(running)
        report = manage("doctor", "--json", DATA_DIR=str(up.data_dir))
        assert json.loads(report.stdout)["ok"], report.stdout

    def test_in_the_middle_of_the_start_is_orderly_too(self, prepared):
        up = Up(prepared)
        up.wait_for("servers PostgreSQL")
        running = descendants(up.process.pid)
        assert up.stop() == 0
        assert not alive(running)


def test_a_command_starts_the_database_for_itself_and_stops_it_again(prepared):
    done = manage("doctor", "--json", DATA_DIR=str(prepared))
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True), report
    assert not (prepared / "servers.json").exists()
    assert not (prepared / "postgres" / "data" / "postmaster.pid").exists()
