"""Requests to the project inside this process, counted: the whole stack without a socket."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

#: Statements that only frame a transaction; everything else counts.
FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET CONSTRAINTS")


class InProcess:
    """The WSGI application of the project."""

    def __init__(self) -> None:
        """Build it as a web process does, with an event loop beside it; Django is set up already."""
        from django.core.wsgi import get_wsgi_application

        from apps.scheduling import consumers  # noqa: F401 (carries hints to streams)
        from restartix.settling import settle

        self._application = get_wsgi_application()
        settle()
        threading.Thread(target=asyncio.run, args=[_loop_for_hints()], daemon=True).start()

    def __call__(self, method: str, address: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Send one request and return status and body."""
        parts = urlsplit(address)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)) if body else "",
            "CONTENT_TYPE": "application/json" if body else "",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name.upper()}": value for name, value in headers.items()},
        }
        status: list[int] = []
        answer: Any = self._application(environ, lambda line, _headers: status.append(int(line.split()[0])))
        try:
            return status[0], b"".join(answer)
        finally:
            answer.close()


async def _loop_for_hints() -> None:
    from restartix.kernel.streams import adopt_loop

    adopt_loop()
    await asyncio.Event().wait()


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements that run over the application's connection in the block, transaction frames left out."""
    from django.db import connection

    statements: list[str] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.lstrip().upper().startswith(FRAME):
            statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements
