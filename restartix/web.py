"""One web process: `python -m restartix.web --port 9000`, or on a socket that `manage.py up` opened (`--fd`).

On SIGTERM readiness turns false and streams end; for a moment it still accepts, then it lets requests in flight finish
and exits with 0. A second SIGINT ends it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import resource
import signal
import socket
from asyncio import TimerHandle, Transport
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from restartix.environment import env

#: A connection that has not sent its headers by then is closed.
HEADER_SECONDS = 20
MAX_OPEN_FILES = 65_536


class Protocol(HttpToolsProtocol):
    """HTTP/1.1 that does not wait for ever, and that answers nonsense in the error envelope."""

    _deadline: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._wait_for_headers()

    def on_message_begin(self) -> None:
        """Begin to wait for the headers of the next request."""
        super().on_message_begin()
        if not self._deadline:
            self._wait_for_headers()

    def _wait_for_headers(self) -> None:
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        """Stop waiting: from here on the gateway watches the body, and keep-alive the time between requests."""
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        from restartix.gateway import error_body

        body = error_body("malformed_request", msg, os.urandom(16).hex())
        head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
        self.transport.close()


class WebServer(uvicorn.Server):
    """uvicorn, with an end in good order."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Serve as `config` says."""
        super().__init__(config)
        self.cut_off = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT, and do not raise the signal again: the exit code is 0."""
        former = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that we stop, end the streams, go on accepting for a moment, then finish what is in flight."""
        from restartix.health import health
        from restartix.streaming import streams

        health.stopping = True
        await streams.end_all()
        await asyncio.sleep(env.web_shutdown_notice)
        await super().shutdown(sockets)
        self.cut_off = bool(self.server_state.tasks)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Leave probes out of the access log, and queries out of its lines: a stream's address holds its token."""
    arguments = record.args
    if not isinstance(arguments, tuple) or len(arguments) < 3:
        return True
    address = str(arguments[2]).split("?", 1)[0]
    record.args = (*arguments[:2], address, *arguments[3:])
    return not address.startswith("/healthz/")


def _allow_many_connections() -> None:
    """Raise the limit of open files as far as this process may: every stream is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def serve(listener: socket.socket) -> None:
    """Serve on `listener` until told to stop. Requests that outlive the grace period are cut off."""
    _allow_many_connections()
    config = uvicorn.Config(
        "restartix.asgi:application",
        http=Protocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=env.debug,
        log_level=env.log_level.lower(),
        timeout_graceful_shutdown=env.web_shutdown_grace,
        timeout_keep_alive=15,
        backlog=2048,
    )
    logging.getLogger("uvicorn.access").addFilter(_without_secrets)
    server = WebServer(config)
    server.run(sockets=[listener])
    if server.cut_off:
        os._exit(0)  # a thread is still busy with a request that was given up: it must not hold up the exit


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises OSError if the address is taken or not ours."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def main(arguments: list[str] | None = None) -> Any:
    """Serve as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m restartix.web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--fd", type=int, help="a listening socket that this process inherited")
    options = parser.parse_args(arguments)
    inherited = options.fd is not None
    serve(socket.socket(fileno=options.fd) if inherited else listening(options.host, options.port))


if __name__ == "__main__":
    main()
