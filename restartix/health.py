"""Whether this process lives, and whether it can serve: `/healthz/live` and `/healthz/ready`.

Answered without the worker threads and without Django's database connections, so that both stay cheap and true while
PostgreSQL is down or every thread is busy.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg
import redis
from django.http import HttpRequest, HttpResponse

from restartix.environment import env

OK = "ok"
#: An answer is reused for so long, so that a storm of probes costs one look a second.
KEPT_SECONDS = 1.0
_TIMEOUT_SECONDS = 2

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Health:
    """What is known about this process and the servers it needs."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.stopping = False
        self._lock = threading.Lock()
        self._looked = 0.0
        self._parts: dict[str, str] = {}
        self._database: psycopg.Connection[Any] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")

    def parts(self) -> dict[str, str]:
        """Return each needed part with `ok` or what is wrong; looks at most once a second, for at most some seconds."""
        with self._lock:
            if time.monotonic() - self._looked > KEPT_SECONDS:
                self._parts = self._look()
                self._looked = time.monotonic()
            return dict(self._parts)

    async def parts_async(self) -> dict[str, str]:
        """Return `parts` without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self.parts)

    def _look(self) -> dict[str, str]:
        database, applied = self._look_at_database()
        return {
            "database": database,
            "broker": self._look_at_broker(),
            "storage": look_at_storage(),
            "migrations": _compare(applied) if applied is not None else "unknown while the database is down",
        }

    def _look_at_database(self) -> tuple[str, set[tuple[str, str]] | None]:
        """Return the state and the applied migrations, over a connection of its own that is opened again when lost."""
        for _ in range(2):
            try:
                if self._database is None or self._database.closed:
                    self._database = _connect()
                return OK, _applied(self._database)
            except psycopg.Error:
                if self._database is not None:
                    self._database.close()
                self._database = None
        return "down", None

    def _look_at_broker(self) -> str:
        try:
            with _broker() as broker:
                broker.ping()
        except (redis.RedisError, OSError):
            return "down"
        return OK


health = Health()


def _connect() -> psycopg.Connection[Any]:
    options = f"-c statement_timeout={_TIMEOUT_SECONDS * 1000} -c application_name=restartix-health"
    return psycopg.connect(env.database_url, autocommit=True, connect_timeout=_TIMEOUT_SECONDS, options=options)


def _broker() -> redis.Redis:
    timeout = _TIMEOUT_SECONDS
    return redis.Redis.from_url(env.redis_url, socket_timeout=timeout, socket_connect_timeout=timeout)


def _applied(connection: psycopg.Connection[Any]) -> set[tuple[str, str]]:
    try:
        return set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    except psycopg.errors.UndefinedTable:
        return set()


@cache
def _expected() -> frozenset[tuple[str, str]]:
    """Return the migrations of this code, those of Django and other packages included."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(key for key, migration in loader.graph.nodes.items() if migration)


def _compare(applied: set[tuple[str, str]]) -> str:
    pending = _expected() - applied
    return f"{len(pending)} pending" if pending else OK


def look_at_storage() -> str:
    """Return `ok` if files can be stored: the folder takes files, or the bucket answers."""
    parts = urlsplit(env.storage_url)
    if parts.scheme == "file":
        return _look_at_folder(parts.path)
    try:
        from django.core.files.storage import default_storage

        default_storage.exists(".restartix-health")
    except Exception:  # noqa: BLE001 - a storage client raises what it likes
        return "down"
    return OK


def _look_at_folder(folder: str) -> str:
    try:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - a plain string, once a second
        free = os.statvfs(folder).f_bavail
    except OSError:
        return "down"
    return OK if free and os.access(folder, os.W_OK) else "full or read-only"


def verdict(parts: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Return status and body of the readiness answer: 503 as soon as one part is not `ok` or the process stops."""
    body = {**parts, "process": "stopping"} if health.stopping else parts
    return (200 if all(state == OK for state in body.values()) else 503), body


async def respond(path: str, send: Send) -> None:
    """Answer `/healthz/live` or `/healthz/ready` over ASGI."""
    status, body = (200, {"process": OK}) if path == "/healthz/live" else verdict(await health.parts_async())
    content = orjson.dumps(body)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),  # without it HTTP/1.0 probes would get chunks
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def live(request: HttpRequest) -> HttpResponse:
    """Answer `/healthz/live` where Django itself is the server."""
    return HttpResponse(orjson.dumps({"process": OK}), content_type="application/json")


def ready(request: HttpRequest) -> HttpResponse:
    """Answer `/healthz/ready` where Django itself is the server."""
    status, body = verdict(health.parts())
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json")
