"""PostgreSQL restarted under load: no acknowledged booking is lost, and nobody sees a 500."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from restartix.embedded.postgres import Postgres
from restartix.environment import ROOT
from restartix.testing.processes import WebServer
from tests.races.test_booking import RELAXED, visitor
from tests.scheduling.world import book, hold, next_weekday, z

pytestmark = pytest.mark.server

SEED = """
import django; django.setup()
from tests.scheduling.world import ALWAYS, Clinic
clinic = Clinic.make(weekly=ALWAYS, specialists=4, settings={"required_consents": []})
print(clinic.template(10).pk)
"""


@pytest.fixture
def durable(tmp_path_factory, test_servers):
    """A PostgreSQL that keeps its promises (the suite's own does not wait for the disk), with one clinic in it."""
    folder = Path(tmp_path_factory.mktemp("durable"))
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    postgres = Postgres(folder / "postgres", log=folder / "postgres.log")
    postgres.start()
    environment = {
        **os.environ,
        **test_servers.variables,
        **RELAXED,
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": postgres.url("app"),
        "DATABASE_OWNER_URL": postgres.url("owner"),
        "DATABASE_PLATFORM_URL": postgres.url("platform"),
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "restartix.settings",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], env=environment, cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("manage.py", "migrate", "--verbosity=0")
    template_id = int(run("-c", SEED))
    server = WebServer(environment, folder / "web.log")
    server.wait_until_ready()
    yield postgres, server, template_id
    server.kill()
    postgres.stop()


class Template:
    """The template of the seeded clinic, by its key alone."""

    def __init__(self, key: int) -> None:
        self.pk = key


def test_a_restart_under_load_loses_no_acknowledged_booking(durable) -> None:
    postgres, server, template_id = durable
    template, start = Template(template_id), next_weekday(0, 0)
    answers: list[int] = []
    waits: list[str | None] = []
    acknowledged: list[str] = []
    stop = threading.Event()

    def work(number: int) -> None:
        api = visitor(server.port, number)
        for turn in range(10_000):
            if stop.is_set():
                return
            begins = z(start + timedelta(minutes=10 * ((turn * 8 + number) % 140)))
            held = hold(api, template, begins)
            answers.append(held.status)
            if held.status == 503:
                waits.append(held.headers.get("Retry-After"))
                time.sleep(0.05)
            if held.status != 201:
                continue
            booked = book(api, held.data)
            answers.append(booked.status)
            if booked.status == 503:
                waits.append(booked.headers.get("Retry-After"))
            if booked.status in (200, 201):
                acknowledged.append(booked.data["uid"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(2)
        postgres.stop()
        postgres.start()
    time.sleep(2)
    stop.set()
    for thread in threads:
        thread.join(60)

    with psycopg.connect(postgres.url("platform")) as connection:
        stored = {str(row[0]) for row in connection.execute("SELECT uid FROM scheduling_appointment").fetchall()}
    assert len(acknowledged) > 20
    assert set(acknowledged) <= stored
    assert set(answers) <= {200, 201, 404, 409, 410, 422, 503}, set(answers)
    assert 503 in answers
    assert all(waits)
