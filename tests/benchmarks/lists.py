"""The list of appointments as the project serves it, beside a plain Django view and bare ASGI.

One page of 25 of a random clinic: status and a window of 20 days (about 120 matches), newest first, total, page 1
or 2. The project checks the token, finds the membership, counts the rate limit and reads under row-level security; the
others do none of that. The plain view sends one raw statement and shapes the rows by hand, inside the same server
(uvicorn with WSGI threads); bare ASGI sends on what PostgreSQL has written. All answer the same data. Each server runs
on one core with 8 connections; the ratio is of the server's CPU time a request. Goals: at most 3 times the plain view,
1.5 excellent; SQL statements a request do not depend on the page's size.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from inside import InProcess, counted
from measure import Row
from processes import CLIENT_CORE, Process
from world import World, say

TITLE = "Lists"
CONNECTIONS = 8
UVICORN = ("uvicorn", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log", "--log-level", "error",
           "--http", "httptools", "--lifespan", "off")  # fmt: skip
PROJECT = "the project"
PLAIN = "plain Django view, raw SQL"
BARE = "bare ASGI, JSON by PostgreSQL"


@dataclass
class Target:
    """A server with what its rounds gave."""

    server: Process
    cpu_ms: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)

    def note(self, cpu_seconds: float, told: dict[str, Any]) -> None:
        """Keep one round. Raises RuntimeError if a request was refused."""
        if told["refused"]:
            raise RuntimeError(f"{self.server.name} refuses: {told['refused'][0]}")
        self.cpu_ms.append(cpu_seconds * 1e3 / told["count"])
        self.p50_ms.append(told["p50_ms"])
        self.p99_ms.append(told["p99_ms"])
        self.a_second.append(told["count"] / told["seconds"])


def rows(world: World) -> list[Row]:
    """Load the three servers in turn; raises AssertionError if they do not answer the same."""
    requests = _requests(world)
    statements = _statements(requests)
    plain = {"BENCH_DATABASE_URL": world.variables["DATABASE_PLATFORM_URL"]}
    servers = {
        PROJECT: Process("project", ["restartix.web", "--port", "{port}"], world.variables, world.folder),
        PLAIN: Process(
            "plain", [*UVICORN, "--factory", "tests.benchmarks.plain.servers:plain_django"], plain, world.folder
        ),
        BARE: Process("bare", [*UVICORN, "tests.benchmarks.plain.servers:bare"], plain, world.folder),
    }
    targets = {name: Target(server) for name, server in servers.items()}
    try:
        _compare(targets, requests[:20])
        for number in range(world.options.rounds + 1):
            for name, target in targets.items():
                say(f"round {number} of {world.options.rounds}: {name}")
                _round(target, requests, world.options.seconds, counts=number > 0)
    finally:
        for server in servers.values():
            server.stop()
    return _table(targets, statements, world.options.appointments)


def _requests(world: World) -> list[str]:
    """Return request lines for the load generator: path, tab, headers."""
    dice, lines = random.Random(5), []
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for _ in range(400):
        organization, token = dice.choice(world.organizations)
        since = today - timedelta(days=dice.randint(30, 290))
        window = (
            f"started_at.gte={since:%Y-%m-%dT%H:%M:%SZ}&started_at.lt={since + timedelta(days=20):%Y-%m-%dT%H:%M:%SZ}"
        )
        path = f"/v1/appointments?status=done&{window}&page={dice.choice([1, 2])}"
        lines.append(f"{path}\tX-Organization-ID: {organization}|Authorization: Bearer {token}")
    return lines


def _statements(requests: list[str]) -> int:
    """Return how many SQL statements one request takes, once warm; asserts that the page's size does not matter."""
    application, found = InProcess(), set()
    path, _, headers = requests[0].partition("\t")
    organization, token = (header.split(": ", 1)[1] for header in headers.split("|"))
    for limit in (5, 5, 100):
        with counted() as statements:
            status, body = application(
                "GET", f"{path}&limit={limit}", authorization=token, x_organization_id=organization
            )
        assert status == 200, body
        found.add(len(statements))
    assert len(found) == 1, f"statements depend on the page's size: {found}"
    return found.pop()


def _compare(targets: dict[str, Target], requests: list[str]) -> None:
    """Assert that all servers answer these requests alike."""
    for request in requests:
        answers = [_get(target.server.port, request) for target in targets.values()]
        assert all(answer == answers[0] for answer in answers), json.dumps(answers, indent=1)[:6000]
        assert answers[0]["data"], request


def _get(port: int, request: str) -> Any:
    path, _, headers = request.partition("\t")
    fields = dict(header.split(": ", 1) for header in headers.split("|"))
    wanted = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=fields)
    with urllib.request.urlopen(wanted, timeout=20) as answer:
        return json.load(answer)


def _round(target: Target, requests: list[str], seconds: float, *, counts: bool) -> None:
    before = target.server.cpu_seconds
    generator = Path(__file__).with_name("load.py")
    arguments = [
        sys.executable,
        str(generator),
        str(target.server.port),
        str(CONNECTIONS),
        str(seconds),
        str(CLIENT_CORE),
    ]
    done = subprocess.run(arguments, input="\n".join(requests), capture_output=True, text=True, check=True)
    if counts:
        target.note(target.server.cpu_seconds - before, json.loads(done.stdout))


def _table(targets: dict[str, Target], statements: int, appointments: int) -> list[Row]:
    case = f"25 of {appointments:,} appointments, {statements} SQL statements"
    table = []
    for name, target in targets.items():
        cpu = statistics.median(target.cpu_ms)
        p50, p99, rate = (statistics.median(each) for each in (target.p50_ms, target.p99_ms, target.a_second))
        median = f"{cpu:.2f} ms CPU, p50 {p50:.1f} ms, p99 {p99:.1f} ms, {rate:.0f}/s"
        if name == PROJECT:
            plain, bare = (_ratio(target, targets[other]) for other in (PLAIN, BARE))
            table.append(Row(case, f"{name}, beside the plain view", median, plain, "≤ 3x", plain <= 3))
            table.append(Row(case, f"{name}, beside bare ASGI", median, bare, "≤ 8x", bare <= 8))
        else:
            table.append(Row(case, name, median, 1.0))
    return table


def _ratio(target: Target, other: Target) -> float:
    """Return the median of the rounds' ratios: neighbours on the machine disturb a round as a whole."""
    return statistics.median(one / two for one, two in zip(target.cpu_ms, other.cpu_ms, strict=True))
