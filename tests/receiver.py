"""A server that receives webhooks on loopback: it remembers what came and answers as it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from restartix.kernel import signatures


@dataclass
class Received:
    """One request, names of headers in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, *secrets: str) -> bool:
        return signatures.verify(
            secrets,
            message_id=self.headers["webhook-id"],
            timestamp=self.headers["webhook-timestamp"],
            body=self.body,
            signatures=self.headers["webhook-signature"],
        )


@dataclass
class Receiver:
    """What came, oldest first; `answers` are given in turn, the last one for ever."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, b"thanks")])

    def next_answer(self) -> tuple[int, bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def listening() -> Iterator[Receiver]:
    """Run a receiver at `receiver.url`."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            status, text = receiver.next_answer()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/rx"
    yield receiver
    server.shutdown()
    server.server_close()
