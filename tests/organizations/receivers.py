"""Receivers of webhooks, good and bad, on this machine."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Behaviour = Callable[[BaseHTTPRequestHandler, Received], None]


def answer(
    code: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Callable[[BaseHTTPRequestHandler, Received], None]:
    """Answer with a status."""

    def behave(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.send_response(code)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def hang(seconds: float) -> Behaviour:
    """Take the request and say nothing."""
    return lambda handler, received: time.sleep(seconds)


def drip(interval: float, times: int) -> Behaviour:
    """Answer byte by byte."""

    def behave(handler: BaseHTTPRequestHandler, received: Received) -> None:
        for _ in range(times):
            try:
                handler.wfile.write(b"H")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(interval)

    return behave


def drip_body(interval: float, times: int) -> Behaviour:
    """Answer 200 at once, then the body byte by byte."""

    def behave(handler: BaseHTTPRequestHandler, received: Received) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(times))
        handler.end_headers()
        for _ in range(times):
            try:
                handler.wfile.write(b"x")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(interval)

    return behave


def reset(handler: BaseHTTPRequestHandler, received: Received) -> None:
    """Break the connection."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def huge(handler: BaseHTTPRequestHandler, received: Received) -> None:
    """Answer 200 with 10 MB."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10_000_000))
    handler.end_headers()
    try:
        for _ in range(1000):
            handler.wfile.write(b"x" * 10_000)
    except OSError:
        return


@dataclass
class Receiver:
    """A receiver that answers as `behave` says, and remembers what it got."""

    behave: Behaviour = field(default_factory=lambda: answer(200))
    received: list[Received] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a sender that goes away is part of the tests."""


@contextmanager
def receiver(behave: Behaviour | None = None, *, tls: Any = None) -> Iterator[Receiver]:
    """Open a receiver on a free port; `tls` is an SSL context."""
    ours = Receiver(behave or answer(200))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            got = Received(
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
                time.time(),
            )
            ours.received.append(got)
            ours.behave(self, got)

        def log_message(self, *args: Any) -> None:
            """Be quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        ours.scheme = "https"
    ours.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield ours
    finally:
        server.shutdown()
        server.server_close()
