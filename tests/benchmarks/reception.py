"""The desk of a busy clinic: how soon a board is there, how soon it shows what others do, and whether moves get lost.

One clinic with 12 specialists and 240 appointments on one day, one web process on a core of its own, and 20 members of
staff who have that day's board open: each plays the page, which reads the board again at every hint of its stream. For
a minute, 50 bookings come in by the API, a hold and a booking each. A booking is seen on a board when an answer that
holds it has arrived there; the time counts from the answer to the booking. Interactive: Chromium, nothing cached, from
the request of the page until its scripts have run, while nobody else works and while all of the above goes on; beside
it a page of the back office with one form on it, the floor under every page. Lost updates: two people move the same
appointment at once, to different times; one may win, and the other has to be told.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import statistics
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from measure import Row
from processes import Process
from reception_clinic import Clinic, fill, ids_of
from world import World, say

TITLE = "Reception at a busy clinic"
A_MINUTE, STAFF, PAIRS = 50, 20, 40
PLAIN_PAGE = "/admin/password_change/"
DAY = 24 * 3600
_VISIT = re.compile(r'data-id="(\d+)" data-version="([^"]*)".*?data-start="(\d+)"')


@dataclass
class Seen:
    """What the boards saw: when each booking was answered, and when each board first showed it."""

    booked: dict[str, float] = field(default_factory=dict)
    shown: dict[str, list[float]] = field(default_factory=dict)
    missed: int = 0
    reads: list[float] = field(default_factory=list)
    cpu_share: float = 0.0


def rows(world: World) -> list[Row]:
    """Fill the clinic, open the boards, book, look, move."""
    world.enter()
    from django.db import connections

    clinic = fill(staff=STAFF)
    connections.close_all()
    connections["default"].close_pool()
    server = Process("reception", ["restartix.web", "--port", "{port}"], world.variables, world.folder)
    seconds, loads = (15.0, 5) if world.options.rounds < 3 else (60.0, 15)
    try:
        return asyncio.run(_measure(server, clinic, seconds, loads))
    finally:
        server.stop()


async def _measure(server: Process, clinic: Clinic, seconds: float, loads: int) -> list[Row]:
    say("opening boards in Chromium")
    board = f"/admin/?date={clinic.day.isoformat()}"
    floor = await _opened(server.port, clinic.cookies[0], PLAIN_PAGE, loads)
    calm = await _opened(server.port, clinic.cookies[0], board, loads)
    seen, busy = await _busy(server, clinic, seconds, lambda: _opened(server.port, clinic.cookies[0], board, loads))
    say("moving the same appointment twice")
    won, told, odd = await _conflicts(server.port, clinic)
    return _table(clinic, seconds, [floor, calm, busy], seen, (won, told, odd))


# -- Chromium ----------------------------------------------------------------------------------------------------------


async def _opened(port: int, cookie: str, path: str, loads: int) -> list[float]:
    """Open the page anew several times; return the milliseconds until its scripts had run."""
    from playwright.async_api import async_playwright

    taken: list[float] = []
    async with async_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(loads + 1):
            context = await browser.new_context(viewport={"width": 1366, "height": 900})
            await context.add_cookies([{"name": "sessionid", "value": cookie, "url": f"http://127.0.0.1:{port}"}])
            page = await context.new_page()
            await page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load")
            taken.append(await page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
            await context.close()
        await browser.close()
    return taken[1:]  # the first one warms the server


# -- twenty boards and fifty bookings a minute -------------------------------------------------------------------------


async def _busy(server: Process, clinic: Clinic, seconds: float, meanwhile: Any) -> tuple[Seen, Any]:
    seen, over = Seen(), asyncio.Event()
    ready = [asyncio.Event() for _ in clinic.cookies]
    boards = [
        asyncio.create_task(_board(server.port, clinic, cookie, seen, event, over))
        for cookie, event in zip(clinic.cookies, ready, strict=True)
    ]
    await asyncio.wait_for(asyncio.gather(*(event.wait() for event in ready)), 30)
    began, before = time.perf_counter(), server.cpu_seconds
    opening = asyncio.create_task(meanwhile())
    await _bookings(server.port, clinic, seconds, seen)
    opened = await opening
    await asyncio.sleep(2)
    seen.cpu_share = (server.cpu_seconds - before) / (time.perf_counter() - began)
    over.set()
    for task in boards:
        task.cancel()
    await asyncio.gather(*boards, return_exceptions=True)
    names = await asyncio.to_thread(ids_of, clinic, list(seen.booked))
    for uid in seen.booked:
        seen.missed += STAFF - len(seen.shown.get(str(names[uid]), []))
    seen.booked = {str(names[uid]): moment for uid, moment in seen.booked.items()}
    return seen, opened


async def _board(port: int, clinic: Clinic, cookie: str, seen: Seen, ready: asyncio.Event, over: asyncio.Event) -> None:
    """Play one open page: read the board at every hint, one reading at a time, and note which visits are new."""
    known: set[str] = set()
    etag = ""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET /admin/today/stream/?date={clinic.day.isoformat()} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Cookie: sessionid={cookie}\r\n\r\n".encode()
    )
    path = f"/admin/today/board/?date={clinic.day.isoformat()}"
    while not over.is_set():
        line = await reader.readline()
        if not line:
            raise RuntimeError("a board's stream ended")
        if line.strip() not in (b"event: ready", b"event: changed"):
            continue
        began = time.perf_counter()
        status, headers, body = await request(
            port, "GET", path, headers={"Cookie": f"sessionid={cookie}", "If-None-Match": etag}
        )
        moment = time.perf_counter()
        seen.reads.append((moment - began) * 1e3)
        if status == 200:
            etag = headers["etag"]
            visits = set(re.findall(r'data-id="(\d+)"', body.decode()))
            if known:
                for visit in visits - known:
                    seen.shown.setdefault(visit, []).append(moment)
            known = visits
        ready.set()


async def _bookings(port: int, clinic: Clinic, seconds: float, seen: Seen) -> None:
    """Make 50 bookings a minute, evenly; a booking that would be late is made at once."""
    count = int(seconds * A_MINUTE / 60)
    began = time.perf_counter()
    for number in range(count):
        say(f"booking {number + 1} of {count}")
        await asyncio.sleep(max(0.0, began + number * 60 / A_MINUTE - time.perf_counter()))
        uid = await _book(port, clinic, clinic.free[number], number)
        seen.booked[uid] = time.perf_counter()


async def _book(port: int, clinic: Clinic, start: datetime, number: int) -> str:
    wish = {"appointment_template_id": clinic.template, "start": start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    status, _, body = await request(port, "POST", "/v1/scheduling/holds", wish | {"client_id": str(uuid.uuid4())})
    assert status == 201, body
    held = json.loads(body)["data"]
    contact = {"name": f"Vizitator {number}", "email": f"visitor.{number}@mail.example", "phone": "+40721000111"}
    status, _, body = await request(
        port,
        "POST",
        "/v1/scheduling/book",
        {"hold_id": held["hold_id"], "contact": contact, "consents": [{"type": "privacy_policy"}]},
        headers={"X-Hold-Token": held["hold_token"]},
    )
    assert status == 201, body
    return str(json.loads(body)["data"]["uid"])


# -- two people, one appointment ---------------------------------------------------------------------------------------


async def _conflicts(port: int, clinic: Clinic) -> tuple[int, int, int]:
    """Have two people move the same appointment at once, many times; return who won, who was told, and what else."""
    board = f"/admin/today/board/?date={clinic.day.isoformat()}"
    _, _, body = await request(port, "GET", board, headers={"Cookie": f"sessionid={clinic.cookies[0]}"})
    shown = _VISIT.findall(body.decode())[:PAIRS]
    won = told = odd = 0
    for visit, version, start in shown:
        answers = await asyncio.gather(
            *(_move(port, clinic.cookies[person], visit, version, int(start) + (1 + person) * DAY) for person in (0, 1))
        )
        won += answers.count(200)
        told += answers.count(409)
        odd += sorted(answers) != [200, 409]
    return won, told, odd + PAIRS - len(shown)


async def _move(port: int, session: str, visit: str, version: str, start: int) -> int:
    secret = "c" * 32
    form = urlencode({"csrfmiddlewaretoken": secret, "version": version, "start": start}).encode()
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={secret}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    status, _, _ = await request(port, "POST", f"/admin/today/visits/{visit}/move/", form, headers)
    return status


# -- the wire ----------------------------------------------------------------------------------------------------------


async def request(
    port: int, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one request on a connection of its own; return status, headers in lower case, and body."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = {"Host": "127.0.0.1", "Connection": "close", "Content-Length": str(len(content)), **(headers or {})}
    if body is not None:
        lines.setdefault("Content-Type", "application/json")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content)
    answer = await reader.read()
    writer.close()
    top, _, rest = answer.partition(b"\r\n\r\n")
    first, *others = top.decode("latin-1").split("\r\n")
    found = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in others)}
    return int(first.split()[1]), found, rest


def _table(
    clinic: Clinic,
    seconds: float,
    opened: Sequence[Sequence[float]],
    seen: Seen,
    conflicts: tuple[int, int, int],
) -> list[Row]:
    floor, calm, busy = (statistics.median(values) for values in opened)
    latest = max(max(values) for values in opened[1:])
    latencies = sorted(
        (moment - seen.booked[visit]) * 1e3
        for visit, moments in seen.shown.items()
        if visit in seen.booked
        for moment in moments
    )
    p50, p99 = latencies[len(latencies) // 2], latencies[int(len(latencies) * 0.99)]
    reads = sorted(seen.reads)
    case = f"{len(clinic.visits)} appointments, {STAFF} boards, {len(seen.booked)} bookings in {seconds:.0f} s"
    won, told, odd = conflicts
    return [
        Row(case, "a page with one form, interactive", f"{floor:.0f} ms", 1.0),
        Row(case, "the board, interactive, alone", f"{calm:.0f} ms", calm / floor),
        Row(
            case, "the board, interactive, all at work", f"{busy:.0f} ms, at most {latest:.0f} ms", busy / floor,
            "< 1 s", latest < 1000,
        ),
        Row(
            case, "a booking seen by every board", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, {seen.missed} missed", None,
            "p99 < 1 s, none missed", p99 < 1000 and seen.missed == 0,
        ),
        Row(
            case, "the board read again", f"p50 {reads[len(reads) // 2]:.0f} ms, {len(reads):,} times, "
            f"{seen.cpu_share * 100:.0f} % of a core in all",
        ),
        Row(
            f"{PAIRS} pairs", "two people move one appointment", f"{won} won, {told} told, {odd} otherwise", None,
            "one wins, one is told", odd == 0,
        ),
    ]  # fmt: skip
