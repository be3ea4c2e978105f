"""The servers to compare with: a plain Django view on the project's own server stack, and bare ASGI."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any

from psycopg_pool import AsyncConnectionPool

from tests.benchmarks.plain import rows

Send = Callable[[dict[str, Any]], Awaitable[None]]
_pool: AsyncConnectionPool[Any] | None = None


def plain_django() -> Any:
    """Return Django's WSGI handler in threads inside uvicorn, as the project runs its own."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.plain.settings"
    from a2wsgi import WSGIMiddleware
    from django.core.wsgi import get_wsgi_application

    return WSGIMiddleware(get_wsgi_application(), workers=int(os.environ.get("WEB_THREADS", "8")))


async def bare(scope: dict[str, Any], receive: Any, send: Send) -> None:
    """Answer with what PostgreSQL has written, over a pool of prepared connections."""
    global _pool
    if scope["type"] != "http":
        return
    if _pool is None:
        url = os.environ["BENCH_DATABASE_URL"]
        settings = {"autocommit": True, "prepare_threshold": 1}
        _pool = AsyncConnectionPool(url, min_size=8, max_size=8, open=False, kwargs=settings)
        await _pool.open()
    organization = next(value for name, value in scope["headers"] if name == b"x-organization-id")
    given = rows.parameters(organization.decode(), scope["query_string"].decode())
    async with _pool.connection() as connection:
        cursor = await connection.execute(rows.AS_JSON, given)
        (text,) = await cursor.fetchone() or ("",)
    body = text.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
