"""Webhooks under kills, wipes and a receiver that hangs; the full storm is `make storm` (webhooks_in_full.py)."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest

from apps.organizations.models import Organization, WebhookDelivery, WebhookSubscription
from apps.organizations.services import dispatching, facts
from apps.scheduling.facts import AppointmentNoShow
from restartix.kernel import signatures
from restartix.kernel.outbound.posting import Poster
from restartix.kernel.tenancy import Actor, acting_for
from tests.organizations.receivers import Received, answer, hang, receiver
from tests.races.webhook_storm import Storm
from tests.scheduling.world import Clinic

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]
HOOKS = "/v1/webhook-subscriptions"
TESTER = Actor.system("test")
EVENT = AppointmentNoShow(appointment_id=1, appointment_uid="u", specialist_id=2, patient_id=3)


def test_no_event_is_lost_when_senders_are_killed_and_redis_is_wiped(test_servers) -> None:
    storm = Storm(test_servers, events=300, clinics=10, seconds=14, kills=4, wipes=1)

    storm.run(patience_seconds=60)

    print(storm)
    assert storm.wanted <= set(storm.accepted)
    assert not storm.unwanted & set(storm.accepted)
    # a kill repeats at most what was on the wire; the full storm measures the part
    assert storm.duplicates <= 4 * storm.kills


def subscribe(name: str, url: str) -> int:
    organization = Organization.objects.create(name=name, slug=name)
    with acting_for(organization.pk, actor=TESTER):
        WebhookSubscription.objects.create(url=url, events=["*"], secret=signatures.new_secret())
    return organization.pk


def record(clinic: int, times: int = 1) -> None:
    with acting_for(clinic, actor=TESTER):
        for _ in range(times):
            facts.record(EVENT)


def test_a_receiver_that_hangs_slows_nobody_else() -> None:
    with receiver(hang(4)) as bad, receiver() as good:
        record(subscribe("bad", bad.url), 40)
        healthy = [subscribe(f"good-{number}", good.url) for number in range(99)]
        sender = dispatching.Sender(poster=Poster(lambda host, address: True, timeout_seconds=3.0), run_seconds=8)
        running = threading.Thread(target=dispatching.run, args=(sender,))
        running.start()
        while len(bad.received) < 6:
            time.sleep(0.05)
        began = time.time()
        for clinic in healthy:
            record(clinic)
        end = time.monotonic() + 10
        while len(good.received) < 99 and time.monotonic() < end:
            time.sleep(0.05)
        hanging = len(bad.received)
        running.join(20)

    slowest = max(each.at for each in good.received) - began
    print(
        f"99 healthy receivers beside one that hangs: the slowest had its event {slowest:.2f} s after the first commit"
    )
    assert len(good.received) == 99
    assert slowest < 2.5
    assert hanging <= 12


def test_in_no_five_seconds_do_more_than_fifty_requests_of_a_clinic_start() -> None:
    with receiver() as busy, receiver() as quiet:
        clinic, other = subscribe("busy", busy.url), subscribe("quiet", quiet.url)
        record(clinic, 120)
        record(other)
        began = time.time()
        senders = [dispatching.Sender(poster=Poster(lambda host, address: True), run_seconds=20) for _ in range(2)]
        running = [threading.Thread(target=dispatching.run, args=(sender,)) for sender in senders]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join(40)

    starts = sorted(each.at for each in busy.received)
    assert len(starts) == 120
    assert quiet.received[0].at - began < 5
    assert all(later - first > 5 for first, later in zip(starts, starts[50:], strict=False))
    with acting_for(clinic, actor=TESTER):
        assert set(WebhookDelivery.objects.values_list("status", flat=True)) == {"delivered"}


def test_who_waits_for_a_receiver_holds_no_transaction(web_servers, test_servers) -> None:
    (server,) = web_servers(1, WEBHOOK_ALLOW_PRIVATE="on")
    admin, seen = Clinic.make().member("admin", port=server.port), []

    def look(handler: BaseHTTPRequestHandler, got: Received) -> None:
        """Look at the database from where the request hangs, and come a second time under the same key."""
        with test_servers.postgres.connect(test_servers.database) as connection:
            idle = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%' AND datname = %s"
            seen.append(connection.execute(idle, [test_servers.database]).fetchone()[0])
        seen.append(admin.post(f"{HOOKS}/{uid}/test", {}, **key).code)
        answer(204)(handler, got)

    with receiver(look) as hook:
        uid = admin.post(HOOKS, {"url": hook.url, "events": ["*"]}).data["uid"]
        key = {"Idempotency-Key": "once"}
        first = admin.post(f"{HOOKS}/{uid}/test", {}, **key)
        again = admin.post(f"{HOOKS}/{uid}/test", {}, **key)

    assert (first.status, again.status) == (200, 200), first.json
    assert seen == [0, "idempotency_in_progress"]
    assert (first.data["status"], first.data["attempt_count"]) == ("delivered", 1)
    assert again.data == first.data
    assert len(hook.received) == 1
