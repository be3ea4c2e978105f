"""Holds and bookings under real concurrency, on real servers: scenarios 6, 7, 9, 10 and 13 of scheduling.md."""

from __future__ import annotations

import random
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from http.client import HTTPException

import psycopg
import pytest

from restartix.kernel.tenancy import Actor, acting_for
from tests.races.crowd import Stream, at_once
from tests.scheduling.world import ALWAYS, Api, Clinic, book, hold, next_weekday, starts, z

pytestmark = [pytest.mark.server, pytest.mark.usefixtures("committed_db")]
TESTER = Actor.system("test")
RELAXED = {
    "TRUSTED_PROXY_COUNT": "1",
    "BOOKING_LIMITS": '{"hold": "10000/m", "book": "10000/m", "timeslots": "10000/m", "stream": "10000/m"}',
    "RATE_LIMIT_USER": "100000/m",
    "RATE_LIMIT_PUBLIC": "100000/m",
}


@pytest.fixture
def clinic() -> Clinic:
    return Clinic.make(weekly=ALWAYS, specialists=3, settings={"required_consents": []})


def visitor(port: int, number: int = 0) -> Api:
    """Somebody with an address of their own."""
    return Api({"X-Forwarded-For": f"10.{number // 62500}.{number // 250 % 250}.{number % 250 + 1}"}, port)


def overlaps(test_servers) -> int:
    """Pairs of claims of one specialist that overlap, asked of the database as its superuser."""
    with test_servers.postgres.connect(test_servers.database) as connection:
        row = connection.execute(
            "SELECT count(*) FROM scheduling_claim a JOIN scheduling_claim b ON a.specialist_id = b.specialist_id "
            "AND a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at"
        ).fetchone()
    return row[0]


def test_two_hundred_at_once_get_exactly_three_holds(web_servers, clinic: Clinic) -> None:
    servers = web_servers(2, **RELAXED)
    template, start = clinic.template(60), z(next_weekday(0))

    answers = at_once(
        (lambda number=number: hold(visitor(servers[number % 2].port, number), template, start))
        for number in range(200)
    )

    held = [answer.data["specialist_id"] for answer in answers if answer.status == 201]
    assert sorted(held) == sorted(each.pk for each in clinic.specialists)
    refused = [answer for answer in answers if answer.status != 201]
    assert {(answer.status, answer.code) for answer in refused} == {(409, "slot_unavailable")}
    assert len(refused) == 197


def test_overlapping_times_of_different_lengths_never_deadlock_and_never_overlap(
    web_servers, clinic: Clinic, test_servers
) -> None:
    servers = web_servers(2, **RELAXED)
    sara, patient, start = clinic.specialists[0], clinic.patient(), next_weekday(0)
    admins = [clinic.member("admin", port=server.port) for server in servers]
    chance = random.Random(7)

    def attempt(number: int):
        begins = start + timedelta(minutes=15 * chance.randrange(16))
        body = {
            "patient_id": patient.pk,
            "specialist_id": sara.pk,
            "started_at": z(begins),
            "ended_at": z(begins + timedelta(minutes=chance.choice([15, 30, 45, 60, 90]))),
        }
        return admins[number % 2].post("/v1/appointments", body)

    answers = at_once((lambda number=number: attempt(number)) for number in range(80))

    assert {answer.status for answer in answers} == {201, 409}
    assert {answer.code for answer in answers if answer.status == 409} == {"slot_unavailable"}
    assert overlaps(test_servers) == 0


def test_a_claim_that_overlaps_is_refused_to_raw_sql(clinic: Clinic, test_servers) -> None:
    start = next_weekday(0)
    insert = (
        "INSERT INTO scheduling_hold (organization_id, hold_id, token_digest, status, template_id, specialist_id, "
        "started_at, ended_at, created_at, renewed_at, expires_at, max_expires_at, address_hash) VALUES "
        "(%s, %s, '', 'live', %s, %s, %s, %s, now(), now(), now(), now(), '') RETURNING id"
    )
    claim = (
        "INSERT INTO scheduling_claim (organization_id, specialist_id, starts_at, ends_at, hold_id) "
        "VALUES (%s, %s, %s, %s, %s)"
    )
    template, sara = clinic.template(60), clinic.specialists[0].pk
    organization = clinic.organization.pk
    with test_servers.postgres.connect(test_servers.database) as connection:
        keys = [
            connection.execute(
                insert, [organization, uuid.uuid4(), template.pk, sara, start, start + timedelta(hours=1)]
            ).fetchone()[0]
            for _ in range(2)
        ]
        connection.execute(claim, [organization, sara, start, start + timedelta(hours=1), keys[0]])
        with pytest.raises(psycopg.errors.ExclusionViolation):
            connection.execute(
                claim,
                [organization, sara, start + timedelta(minutes=59), start + timedelta(hours=2), keys[1]],
            )


def test_two_that_would_swap_both_stay(web_servers, clinic: Clinic, test_servers) -> None:
    servers = web_servers(2, **RELAXED)
    sara, patient, start = clinic.specialists[0], clinic.patient(), next_weekday(0)
    admins = [clinic.member("admin", port=server.port) for server in servers]
    times = [z(start), z(start + timedelta(hours=1))]
    made = [
        admins[0]
        .post(
            "/v1/appointments",
            {
                "patient_id": patient.pk,
                "specialist_id": sara.pk,
                "started_at": begins,
                "ended_at": z(datetime.fromisoformat(begins) + timedelta(hours=1)),
            },
        )
        .data["id"]
        for begins in times
    ]

    for _ in range(10):
        answers = at_once(
            [
                lambda: admins[0].put(f"/v1/appointments/{made[0]}/reschedule", {"started_at": times[1]}),
                lambda: admins[1].put(f"/v1/appointments/{made[1]}/reschedule", {"started_at": times[0]}),
            ]
        )
        assert [(answer.status, answer.code) for answer in answers] == [(409, "slot_unavailable")] * 2

    assert [admins[0].get(f"/v1/appointments/{key}").data["started_at"] for key in made] == times


def test_twenty_parallel_bookings_of_one_hold_make_one_appointment(web_servers, clinic: Clinic, test_servers) -> None:
    servers = web_servers(2, **RELAXED)
    held = hold(visitor(servers[0].port), clinic.template(60), z(next_weekday(0))).data

    answers = at_once((lambda number=number: book(visitor(servers[number % 2].port), held)) for number in range(20))

    assert len({answer.data["uid"] for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.data["uid"] for answer in answers}) == 1


def test_a_visitors_quota_is_exact_under_concurrency(web_servers, clinic: Clinic) -> None:
    (server,) = web_servers(1, **RELAXED)
    template, client, start = clinic.template(60), str(uuid.uuid4()), next_weekday(0, 0)

    answers = at_once(
        (
            lambda number=number: hold(
                visitor(server.port, number), template, z(start + timedelta(hours=number)), client_id=client
            )
        )
        for number in range(12)
    )

    assert sorted(answer.status for answer in answers) == [201] * 3 + [409] * 9


def test_killed_in_the_middle_every_hold_is_either_alive_or_one_appointment(
    web_servers, clinic: Clinic, test_servers
) -> None:
    template, start = clinic.template(30), next_weekday(0, 0)
    steady = web_servers(1, **RELAXED, HOLD_TTL="900")[0]
    holds = [
        hold(visitor(steady.port, number), template, z(start + timedelta(minutes=30 * (number // 3)))).data
        for number in range(100)
    ]
    acknowledged: list[str] = []
    todo = iter(holds)
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                held = next(todo, None)
            if held is None:
                return
            for _ in range(3):
                try:
                    answer = book(visitor(victims[-1].port), held)
                except (OSError, HTTPException):  # the server that was asked has just been killed
                    time.sleep(0.05)
                    continue
                if answer.status in (200, 201):
                    acknowledged.append(held["hold_id"])
                break

    victims = [steady]
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(random.uniform(0.05, 0.25))
        victims[-1].kill()
        victims.append(web_servers(1, **RELAXED, HOLD_TTL="900")[0])
    for thread in threads:
        thread.join(60)

    assert _inconsistent_holds(test_servers) == []
    assert _booked(test_servers) >= set(acknowledged)
    assert overlaps(test_servers) == 0


def _inconsistent_holds(test_servers) -> list[tuple]:
    """Holds that are neither alive with one claim of their own nor booked with one appointment that has the claim."""
    with test_servers.postgres.connect(test_servers.database) as connection:
        return connection.execute(
            "SELECT h.hold_id, h.status FROM scheduling_hold h WHERE NOT ("
            "(h.status = 'live' AND h.appointment_id IS NULL"
            " AND (SELECT count(*) FROM scheduling_claim c WHERE c.hold_id = h.id) = 1) OR "
            "(h.status = 'booked' AND (SELECT count(*) FROM scheduling_claim c WHERE c.hold_id = h.id) = 0"
            " AND (SELECT count(*) FROM scheduling_claim c WHERE c.appointment_id = h.appointment_id) = 1))"
        ).fetchall()


def _booked(test_servers) -> set[str]:
    with test_servers.postgres.connect(test_servers.database) as connection:
        rows = connection.execute("SELECT hold_id FROM scheduling_hold WHERE status = 'booked'").fetchall()
    return {str(row[0]) for row in rows}


def test_without_any_worker_a_lapsed_hold_is_bookable_within_a_second(web_servers, clinic: Clinic) -> None:
    (server,) = web_servers(1, **RELAXED, HOLD_TTL="2", HOLD_LEASE="1", HOLD_RENEW="1")
    sara = {"specialist_id": clinic.specialists[0].pk}
    template, start = clinic.template(60), z(next_weekday(0))
    first = hold(visitor(server.port, 1), template, start, **sara)
    lapses = datetime.fromisoformat(first.data["expires_at"])

    assert hold(visitor(server.port, 2), template, start, **sara).status == 409
    time.sleep(max((lapses - datetime.now(UTC)).total_seconds(), 0) + 0.05)
    again = hold(visitor(server.port, 2), template, start, **sara)

    assert again.status == 201
    assert (datetime.now(UTC) - lapses).total_seconds() < 1


def test_a_watched_hold_lives_on_its_lease_and_ends_at_the_cap(web_servers, clinic: Clinic) -> None:
    (server,) = web_servers(1, **RELAXED, HOLD_TTL="20", HOLD_LEASE="3", HOLD_RENEW="1", HOLD_CAP="8")
    api, template = visitor(server.port), clinic.template(60)
    held = hold(api, template, z(next_weekday(0))).data
    created, cap = (datetime.fromisoformat(held[name]) for name in ("created_at", "max_expires_at"))
    assert (cap - created).total_seconds() == 8

    stream = Stream(server.port, f"/v1/scheduling/holds/{held['hold_id']}/stream?token={held['hold_token']}")
    opened = datetime.now(UTC)
    snapshot = stream.wait_for("snapshot").data
    assert abs((datetime.fromisoformat(snapshot["expires_at"]) - opened).total_seconds() - 3) < 1
    expired = stream.wait_for("expired", seconds=12)

    assert abs((datetime.now(UTC) - cap).total_seconds()) < 1
    names = [event.name for event in stream.events]
    assert names.count("expiring") == 1
    assert names.count("heartbeat") >= 6
    keys = [int(event.key) for event in stream.events]
    assert keys == sorted(set(keys))
    path = f"/v1/scheduling/holds/{held['hold_id']}"
    assert api.patch(f"{path}?token={held['hold_token']}").code == "hold_expired"
    last = Stream(server.port, f"{path}/stream?token={held['hold_token']}", {"Last-Event-ID": expired.key})
    assert last.status == 204


def test_a_stream_that_is_gone_leaves_the_slot_within_its_lease(web_servers, clinic: Clinic) -> None:
    (server,) = web_servers(1, **RELAXED, HOLD_TTL="60", HOLD_LEASE="3", HOLD_RENEW="1")
    template, start, sara = clinic.template(60), z(next_weekday(0)), {"specialist_id": clinic.specialists[0].pk}
    held = hold(visitor(server.port, 1), template, start, **sara).data
    stream = Stream(server.port, f"/v1/scheduling/holds/{held['hold_id']}/stream?token={held['hold_token']}")
    stream.wait_for("heartbeat", seconds=3)
    stream.close()
    closed = time.monotonic()

    while hold(visitor(server.port, 2), template, start, **sara).status != 201:
        assert time.monotonic() - closed < 4
        time.sleep(0.1)

    assert time.monotonic() - closed > 1


def test_streams_of_two_processes_see_a_change_within_a_second(web_servers, clinic: Clinic) -> None:
    servers = web_servers(2, **RELAXED)
    template, start = clinic.template(60, gap_minutes=10, slot_step_minutes=60), z(next_weekday(0))
    pages = [
        Stream(server.port, f"/v1/scheduling/timeslots/stream?appointment_template_id={template.pk}")
        for server in servers
    ]
    for page in pages:
        page.wait_for("ready")
    api = visitor(servers[0].port)

    began = time.monotonic()
    held = hold(api, template, start).data
    taken = [page.wait_for("slot", state="taken", seconds=2) for page in pages]
    assert max(event.at for event in taken) - began < 1
    assert taken[0].data == {
        "specialist_id": held["specialist_id"],
        "start": start,
        "end": z(datetime.fromisoformat(start) + timedelta(minutes=70)),
        "state": "taken",
    }

    watching = [
        Stream(server.port, f"/v1/scheduling/holds/{held['hold_id']}/stream?token={held['hold_token']}")
        for server in servers
    ]
    for stream in watching:
        stream.wait_for("snapshot")
    other = hold(visitor(servers[1].port, 9), template, start).data
    for stream in watching:
        stream.wait_for("slot", specialist_id=other["specialist_id"], state="taken", seconds=1)
    began = time.monotonic()
    api.delete(f"/v1/scheduling/holds/{held['hold_id']}?token={held['hold_token']}")
    ends = [page.wait_for("slot", state="free", seconds=2) for page in pages]
    ends += [stream.wait_for("released", seconds=2) for stream in watching]

    assert max(event.at for event in ends) - began < 1
    assert all("slot" not in [e.name for e in stream.events if e.data.get("state") == "free"] for stream in watching)


def test_a_hold_is_watched_in_three_places_at_most(web_servers, clinic: Clinic) -> None:
    servers = web_servers(2, **RELAXED)
    held = hold(visitor(servers[0].port), clinic.template(60), z(next_weekday(0))).data
    path = f"/v1/scheduling/holds/{held['hold_id']}/stream?token={held['hold_token']}"
    open_ones = [Stream(servers[number % 2].port, path) for number in range(3)]
    for stream in open_ones:
        stream.wait_for("snapshot")

    assert Stream(servers[1].port, path).status == 409
    open_ones[0].close()
    end = time.monotonic() + 5
    while (again := Stream(servers[1].port, path)).status != 200:
        assert time.monotonic() < end
        time.sleep(0.1)
    again.wait_for("snapshot")


def test_the_sweep_frees_what_nobody_asks_for(web_servers, clinic: Clinic) -> None:
    from apps.scheduling.services import sweeping

    (server,) = web_servers(1, **RELAXED, HOLD_TTL="1", HOLD_LEASE="1", HOLD_RENEW="1")
    template = clinic.template(60)
    hold(visitor(server.port), template, z(next_weekday(0)))
    page = Stream(server.port, f"/v1/scheduling/timeslots/stream?appointment_template_id={template.pk}")
    page.wait_for("ready")
    time.sleep(1.1)

    assert sweeping.sweep() == 1
    page.wait_for("slot", state="free", seconds=2)
    assert sweeping.sweep() == 0
    with acting_for(clinic.organization.pk, actor=TESTER):
        assert starts(visitor(server.port), template, z(next_weekday(0))[:10], z(next_weekday(0))[:10])
