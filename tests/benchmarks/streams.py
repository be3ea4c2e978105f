"""Thousands of open hold streams in one web process.

Every stream watches a live hold of its own, which the process renews every 10 s; the holds are spread over the clinics
of the data set, so that a change of a specialist's time reaches the few streams of that clinic. Memory is what the
process grew by, for each stream. Connections are those of the web process to PostgreSQL that do something at 40 moments
of one renewal period; a stream itself holds none. Latency is from sending the request that gives a time back (a DELETE
of another hold) to the arrival of its event at each stream. Goals: at most 30 KiB a stream; an event
within the second that the contract promises, also where other programs share the machine; no more connections than the
pool's 12.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from measure import Row
from processes import Process, raise_file_limit
from world import World, say

TITLE = "Open streams"
EVENTS = 60
PERIOD_SECONDS = 10.0
_STATES = """
SELECT count(*), count(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity
 WHERE usename = 'restartix_app' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A hold as its visitor knows it."""

    hold_id: str
    token: str
    clinic: int


def rows(world: World) -> list[Row]:
    """Open the streams, look, cause some events, look again."""
    raise_file_limit()
    world.enter()
    count = world.options.streams
    holds = _make_holds(world, count + EVENTS)
    from django.db import connections

    connections.close_all()
    connections["default"].close_pool()
    server = Process("streams", ["restartix.web", "--port", "{port}"], world.variables, world.folder)
    try:
        return asyncio.run(_measure(server, holds[:count], holds[count:], world.variables["DATABASE_URL"]))
    finally:
        server.stop()


def _make_holds(world: World, count: int) -> list[Held]:
    """Copy live holds with their claims: one clinic after the other, half-hours that no visit takes."""
    from apps.profiles.models import Specialist
    from apps.scheduling.management.demo.copying import Table, encoded, take_ids, triggers_set_aside
    from apps.scheduling.models import AppointmentTemplate, Claim, Hold
    from restartix.kernel.tenancy import Actor, acting_for

    clinics: list[tuple[int, int, int]] = []
    for organization, _ in world.organizations:
        with acting_for(organization, actor=Actor.system("bench")):
            template = AppointmentTemplate.objects.order_by("id").values_list("pk", flat=True)[0]
            specialist = Specialist.objects.order_by("id").values_list("pk", flat=True)[0]
        clinics.append((organization, template, specialist))
    tokens = [secrets.token_urlsafe(32) for _ in range(count)]
    held = [Held(str(uuid.uuid4()), token, number % len(clinics)) for number, token in enumerate(tokens)]
    now = datetime.now(UTC).replace(microsecond=0)
    first = now.replace(minute=0, second=0) + timedelta(days=100)
    starts = [first + timedelta(minutes=30 * (number // len(clinics))) for number in range(count)]
    ends = {"created_at": now, "renewed_at": now, "expires_at": now + timedelta(seconds=300)}
    columns = [
        "id",
        "organization_id",
        "template_id",
        "specialist_id",
        "hold_id",
        "token_digest",
        "started_at",
        "ended_at",
    ]
    with triggers_set_aside([Hold, Claim]) as cursor:
        keys, claims = (take_ids(cursor, model, count) for model in (Hold, Claim))
        fixed = {"status": "live", "address_hash": bytes(32), "max_expires_at": now + timedelta(seconds=900), **ends}
        Table(Hold, columns, **fixed).load(
            cursor,
            (
                (key, *clinics[each.clinic], each.hold_id, encoded(hashlib.sha256(each.token.encode()).digest()), start,
                 start + timedelta(minutes=30))
                for key, each, start in zip(keys, held, starts, strict=True)
            ),
        )  # fmt: skip
        Table(Claim, ["id", "organization_id", "specialist_id", "starts_at", "ends_at", "hold_id"]).load(
            cursor,
            (
                (claim, clinics[each.clinic][0], clinics[each.clinic][2], start, start + timedelta(minutes=30), key)
                for claim, key, each, start in zip(claims, keys, held, starts, strict=True)
            ),
        )
    return held


class Stream(asyncio.Protocol):
    """One visitor's stream: notes when it began and when each `slot` event came."""

    def __init__(self, path: str) -> None:
        self.path, self.is_open, self.is_lost = path, False, False
        self.slots: list[float] = []
        self.heartbeats = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.transport.write(f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Note what came."""
        self.is_open |= b"event: snapshot" in data
        self.heartbeats += data.count(b"event: heartbeat")
        if b"event: slot" in data:
            self.slots.append(time.perf_counter())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that it is over."""
        self.is_lost = True


async def _measure(server: Process, watched: Sequence[Held], others: Sequence[Held], database: str) -> list[Row]:
    warm = await _open(server.port, watched[:20])  # what the first streams load is not the streams'
    before, idle = server.resident_kib, server.cpu_seconds
    began = time.perf_counter()
    streams = warm + await _open(server.port, watched[20:])
    opened_in = time.perf_counter() - began
    opening = (server.cpu_seconds - idle) / max(len(watched) - len(warm), 1) * 1e3
    open_now = sum(stream.is_open and not stream.is_lost for stream in streams)
    assert open_now == len(watched), f"{open_now} of {len(watched)} streams are open"
    say("watching one period")
    connections, busy, cpu = await _watch(server, database)
    memory = (server.resident_kib - before) / max(len(watched) - len(warm), 1)
    alive = sum(stream.heartbeats > 0 and not stream.is_lost for stream in streams)
    say("giving times back")
    latencies = sorted(await _give_back(server.port, streams, watched, others))
    p50, p99 = latencies[len(latencies) // 2] * 1e3, latencies[int(len(latencies) * 0.99)] * 1e3
    case = f"{len(watched):,} streams, opened in {opened_in:.1f} s"
    return [
        Row(case, "memory a stream", f"{memory:.1f} KiB", None, "≤ 30 KiB", memory <= 30),
        Row(case, "renewed within 10 s", f"{alive:,} of {len(watched):,}", None, "all", alive == len(watched)),
        Row(case, "processor", f"{opening:.1f} ms to open one, {cpu * 100:.0f} % of a core while all are only renewed"),
        Row(case, "connections at work", f"at most {busy} of {connections} open", None, "≤ 12 open", connections <= 12),
        Row(case, "latency of an event", f"p50 {p50:.1f} ms, p99 {p99:.1f} ms", None, "p99 ≤ 1 s", p99 <= 1000),
    ]


async def _open(port: int, holds: Sequence[Held]) -> list[Stream]:
    """Open one stream for each hold, at most 100 at a time, and wait until each has had its snapshot."""
    loop, places = asyncio.get_running_loop(), asyncio.Semaphore(100)
    opened = 0

    async def one(held: Held) -> Stream:
        nonlocal opened
        async with places:
            path = f"/v1/scheduling/holds/{held.hold_id}/stream?token={held.token}"
            _, stream = await loop.create_connection(lambda: Stream(path), "127.0.0.1", port)
            for _ in range(600):
                if stream.is_open or stream.is_lost:
                    break
                await asyncio.sleep(0.05)
            opened += 1
            say(f"{opened:,} of {len(holds):,} streams")
            return stream

    return list(await asyncio.gather(*(one(held) for held in holds)))


async def _watch(server: Process, database: str) -> tuple[int, int, float]:
    """Return the most connections, the most of them busy, and the share of a core, over one renewal period."""
    connection = await psycopg.AsyncConnection.connect(database, autocommit=True)
    most_open = most_busy = 0
    began, before = time.perf_counter(), server.cpu_seconds
    for _ in range(40):
        cursor = await connection.execute(_STATES)
        total, busy = await cursor.fetchone() or (0, 0)
        most_open, most_busy = max(most_open, total), max(most_busy, busy)
        await asyncio.sleep(PERIOD_SECONDS / 40)
    await connection.close()
    return most_open, most_busy, (server.cpu_seconds - before) / (time.perf_counter() - began)


async def _give_back(
    port: int, streams: Sequence[Stream], watched: Sequence[Held], others: Sequence[Held]
) -> list[float]:
    """Release the other holds one after the other; return how long each event took to each stream of its clinic."""
    latencies: list[float] = []
    for held in others:
        listeners = [stream for stream, own in zip(streams, watched, strict=True) if own.clinic == held.clinic]
        known = [len(stream.slots) for stream in listeners]
        began = time.perf_counter()
        status = await _delete(port, held)
        assert status == 204, status
        for _ in range(400):
            if all(len(stream.slots) > count for stream, count in zip(listeners, known, strict=True)):
                break
            await asyncio.sleep(0.005)
        arrived = [
            stream.slots[count] for stream, count in zip(listeners, known, strict=True) if len(stream.slots) > count
        ]
        assert len(arrived) == len(listeners), f"{len(arrived)} of {len(listeners)} streams had the event within 2 s"
        latencies += [moment - began for moment in arrived]
        await asyncio.sleep(0.02)
    return latencies


async def _delete(port: int, held: Held) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"DELETE /v1/scheduling/holds/{held.hold_id} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Hold-Token: {held.token}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    line: Any = await reader.readline()
    writer.close()
    return int(line.split()[1])
