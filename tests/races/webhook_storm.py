"""A storm over the sender of webhooks: senders and workers are killed, Redis is wiped, a receiver fails at times."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import cycle
from typing import Any

import redis
from django.db import transaction

from apps.organizations.models import Organization, WebhookSubscription
from apps.organizations.services import facts
from apps.scheduling.facts import AppointmentNoShow
from restartix.environment import ROOT
from restartix.kernel import signatures
from restartix.kernel.tenancy import Actor, acting_for
from tests.organizations.receivers import Received, Receiver, answer, receiver

TESTER = Actor.system("test")
EVENT = AppointmentNoShow(appointment_id=1, appointment_uid="u", specialist_id=2, patient_id=None)
#: What the beat does, in a process of its own.
LOOP = """
import django; django.setup()
import time
from apps.organizations import tasks
while True:
    tasks.deliver_webhooks()
    time.sleep(1)
"""
WORKER = (
    "-m",
    "celery",
    "-A",
    "restartix.celery",
    "worker",
    "--pool=threads",
    "--concurrency=4",
    "-Q",
    "webhooks,default",
)
QUIET = ("--loglevel=ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat")


@dataclass
class Storm:
    """What happens: so many events of so many clinics in so many seconds, and so many kills and wipes meanwhile."""

    servers: Any
    events: int
    clinics: int
    seconds: float
    kills: int
    wipes: int
    accepted: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    wanted: set[str] = field(default_factory=set)
    unwanted: set[str] = field(default_factory=set)
    killed: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def run(self, *, patience_seconds: float) -> None:
        """Let it happen, and wait until every event has arrived, at most so long."""
        self._lock, self._over = threading.Lock(), threading.Event()
        self._written: dict[str, float] = {}
        with receiver(self._behave) as hook:
            clinics = self._clinics(hook)
            self._processes = {name: self._start(name) for name in ("worker", "sender-1", "sender-2")}
            self._await_sender(clinics[0])
            helpers = [threading.Thread(target=work) for work in (self._kill, self._wipe, self._hurry)]
            for helper in helpers:
                helper.start()
            try:
                self._write(clinics)
                end = time.monotonic() + patience_seconds
                while time.monotonic() < end and (
                    not self.wanted <= set(self.accepted) or any(helper.is_alive() for helper in helpers[:2])
                ):
                    time.sleep(0.2)
                time.sleep(3)  # what comes twice comes now
            finally:
                self._over.set()
                for process in self._processes.values():
                    process.kill()
                for helper in helpers:
                    helper.join(30)

    @property
    def duplicates(self) -> int:
        """Requests for events that had been accepted already."""
        return sum(count - 1 for count in self.accepted.values())

    def __str__(self) -> str:
        late, arrived = sorted(self.latencies), set(self.accepted)
        return (
            f"{len(arrived & self.wanted)} of {len(self.wanted)} events arrived, {self.duplicates} duplicates, "
            f"{len(arrived & self.unwanted)} of {len(self.unwanted)} rolled-back ones; {self.requests} requests, "
            f"{len(self.killed)} kills {dict(Counter(self.killed))}, {self.wipes} wipes of Redis; from the commit "
            f"to the receiver: median {late[len(late) // 2]:.2f} s, longest {late[-1]:.1f} s"
        )

    def _behave(self, handler: BaseHTTPRequestHandler, got: Received) -> None:
        fails = random.random() < 0.1
        with self._lock:
            self.requests += 1
            if not fails:
                self.accepted[got.id] += 1
                if self.accepted[got.id] == 1 and got.id in self._written:
                    self.latencies.append(got.at - self._written[got.id])
        answer(500 if fails else 200)(handler, got)

    def _clinics(self, hook: Receiver) -> list[int]:
        clinics = [Organization.objects.create(name=f"C{n}", slug=f"storm-{n}") for n in range(self.clinics)]
        for clinic in clinics:
            with acting_for(clinic.pk, actor=TESTER):
                WebhookSubscription.objects.create(url=hook.url, events=["*"], secret=signatures.new_secret())
        return [clinic.pk for clinic in clinics]

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **self.servers.variables, "WEBHOOK_ALLOW_PRIVATE": "on", "PYTHONPATH": str(ROOT)}
        environment["DJANGO_SETTINGS_MODULE"] = "restartix.settings"
        words = (*WORKER, *QUIET) if name == "worker" else ("-c", LOOP)
        return subprocess.Popen(
            [sys.executable, *words], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _await_sender(self, clinic: int) -> None:
        """Wait until the processes have imported their world: an event of no account arrives."""
        with acting_for(clinic, actor=TESTER):
            first = facts.record(EVENT).event_id
        end = time.monotonic() + 60
        while first not in self.accepted and time.monotonic() < end:
            time.sleep(0.1)

    def _write(self, clinics: list[int]) -> None:
        pause = self.seconds / self.events
        began = time.monotonic()
        for number, clinic in zip(range(self.events), cycle(clinics), strict=False):
            with acting_for(clinic, actor=TESTER):
                fact = facts.record(EVENT)
                self._written[fact.event_id] = time.time()
                with transaction.atomic():
                    if number % 20 == 0:
                        self.unwanted.add(facts.record(EVENT).event_id)
                        transaction.set_rollback(True)
            self.wanted.add(fact.event_id)
            time.sleep(max(began + pause * (number + 1) - time.monotonic(), 0))

    def _kill(self) -> None:
        names = cycle(self._processes)
        for _ in range(self.kills):
            if self._over.wait(self.seconds / self.kills * random.uniform(0.8, 1.2)):
                return
            name = next(names)
            os.kill(self._processes[name].pid, signal.SIGKILL)
            self._processes[name].wait()
            self.killed.append(name)
            self._processes[name] = self._start(name)

    def _wipe(self) -> None:
        client = redis.Redis.from_url(self.servers.variables["REDIS_URL"])
        for _ in range(self.wipes):
            if self._over.wait(self.seconds / (self.wipes + 1)):
                return
            client.flushall()

    def _hurry(self) -> None:
        """Let retries be due at once: the schedule itself is tried by a clock that the test turns."""
        with self.servers.postgres.connect(self.servers.database) as connection:
            connection.autocommit = True
            while not self._over.wait(1):
                connection.execute(
                    "UPDATE organizations_webhookdelivery SET next_attempt_at = now() "
                    "WHERE status = 'retrying' AND next_attempt_at > now()"
                )
