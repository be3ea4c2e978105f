"""The process that reminds is killed again and again: every patient is reminded, of every start once."""

from __future__ import annotations

import email
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apps.organizations.models import Fact
from apps.scheduling.models import AppointmentReminder
from apps.scheduling.services import appointments, reminders
from restartix.environment import ROOT
from restartix.kernel import clock
from restartix.kernel.tenancy import acting_for
from tests.races.crowd import at_once
from tests.scheduling.world import ALWAYS, BUILDER, Clinic

VISITS, KILLS = 40, 4
DUE = "internal.appointment.reminder_due"
#: What the beat and the relay do, in a process of its own, with a mail server that takes its time.
LOOP = """
import time
import django; django.setup()
from django.core.mail import EmailMultiAlternatives
from apps.organizations.services import relay
from apps.scheduling.services import reminders

send = EmailMultiAlternatives.send
def slowly(self, *args, **kwargs):
    time.sleep(0.02)
    send(self, *args, **kwargs)
    time.sleep(0.02)
EmailMultiAlternatives.send = slowly
print("ready", flush=True)
while True:
    reminders.remind()
    relay.run(batch=5)
    time.sleep(0.05)
"""


def made(visits: int) -> Clinic:
    """A clinic with so many visits tomorrow morning, each of a patient with an address."""
    clinic = Clinic.make(weekly=ALWAYS, settings={"appointment_reminder_hours": 0})
    first = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(hours=2)
    with acting_for(clinic.organization.pk, actor=BUILDER):
        for number in range(visits):
            patient = clinic.patient(f"P{number}")
            patient.person.email = f"p{number}@example.org"
            patient.person.save()
            start = first + timedelta(minutes=15 * number)
            appointments.create(
                patient=patient,
                specialist=clinic.specialists[0],
                started_at=start,
                ended_at=start + timedelta(minutes=15),
                by=BUILDER,
            )
        Fact.objects.update(relayed_at=clock.now())  # the confirmations are another story
    clinic.organization.settings = {"appointment_reminder_hours": 24}
    clinic.organization.save()
    return clinic


def letters_in(folder: Path) -> list[Any]:
    """Every letter that was written; several may stand in one file, one after the other."""
    texts = [part for path in folder.rglob("*.log") for part in path.read_bytes().split(b"-" * 79 + b"\n")]
    return [email.message_from_bytes(text.lstrip()) for text in texts if text.strip()]


def test_a_process_that_is_killed_forgets_nobody_and_reminds_nobody_twice(
    committed_db: None, test_servers: Any, tmp_path: Path
) -> None:
    clinic, mail = made(VISITS), tmp_path / "mail"
    environment = {
        **os.environ,
        **test_servers.variables,
        "EMAIL_URL": f"filemail://{mail}",
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "restartix.settings",
    }

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", LOOP], env=environment, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def waiting() -> Any:
        return Fact.objects.filter(relayed_at=None)

    for _ in range(KILLS):
        process = start()
        time.sleep(random.uniform(0.02, 0.5))
        process.kill()
        process.wait()
        with acting_for(clinic.organization.pk, actor=BUILDER):  # nobody waits for its leases to run out
            waiting().update(not_before=clock.now() - timedelta(seconds=1))
    process = start()
    end = time.monotonic() + 60
    try:
        left = 1
        while time.monotonic() < end and left:
            time.sleep(0.2)
            with acting_for(clinic.organization.pk, actor=BUILDER):
                left = VISITS - AppointmentReminder.objects.count() + waiting().count()
    finally:
        process.kill()
        process.wait()

    by_address = {(letter["To"], letter["Message-ID"]) for letter in letters_in(mail)}
    assert {address for address, _key in by_address} == {f"p{number}@example.org" for number in range(VISITS)}
    assert len(by_address) == VISITS  # a second copy, if there is one, bears the same Message-ID
    with acting_for(clinic.organization.pk, actor=BUILDER):
        assert AppointmentReminder.objects.count() == VISITS
        assert Fact.objects.filter(name=DUE).count() == VISITS


def test_runs_at_once_note_each_start_once(committed_db: None) -> None:
    clinic = made(30)

    noted = at_once([reminders.remind] * 6)

    assert sum(noted) == 30
    with acting_for(clinic.organization.pk, actor=BUILDER):
        assert Fact.objects.filter(name=DUE).count() == AppointmentReminder.objects.count() == 30
