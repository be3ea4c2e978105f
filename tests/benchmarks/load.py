"""A load generator that needs nothing but Python: `python load.py PORT CONNECTIONS SECONDS < requests`.

Standard input holds one request a line: path, tab, headers separated by `|`. Each connection sends the next one as soon
as it has its answer. Prints one JSON document: requests, refused ones, and the latencies in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from itertools import cycle


class Connection(asyncio.Protocol):
    """One client: a request, its answer, the next request."""

    def __init__(self, requests: Iterator[bytes], taken: list[float], refused: list[bytes]) -> None:
        """Draw from `requests` and note how long each took, and the first lines of those that were refused."""
        self.requests, self.taken, self.refused = requests, taken, refused
        self.buffer, self.length, self.began, self.is_done = b"", 0, 0.0, False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._send()

    def _send(self) -> None:
        self.buffer, self.length, self.began = b"", 0, time.perf_counter()
        self.transport.write(next(self.requests))

    def connection_lost(self, exc: Exception | None) -> None:
        """Be over."""
        if not self.over.done():
            self.over.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self.buffer += data
        if not self.length:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            at = head.find(b"content-length:")
            if at < 0:
                raise SystemExit(f"an answer without Content-Length: {head.decode()}")
            self.length = end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(self.buffer) >= self.length:
            self.taken.append(time.perf_counter() - self.began)
            if self.buffer[9:12] != b"200":
                self.refused.append(self.buffer[:200])
            if self.is_done:
                self.transport.close()
            else:
                self._send()


async def load(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, object]:
    """Load the server and return what came of it."""
    taken: list[float] = []
    refused: list[bytes] = []
    loop, pending = asyncio.get_running_loop(), cycle(requests)
    clients = [
        (await loop.create_connection(lambda: Connection(pending, taken, refused), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    for client in clients:
        client.is_done = True
    await asyncio.wait([client.over for client in clients], timeout=20)
    taken.sort()
    return {
        "count": len(taken),
        "seconds": time.perf_counter() - began,
        "refused": [line.decode(errors="replace") for line in refused[:1]],
        "p50_ms": 1e3 * taken[len(taken) // 2] if taken else 0,
        "p99_ms": 1e3 * taken[int(len(taken) * 0.99)] if taken else 0,
    }


def main() -> None:
    """Read the requests and load."""
    port, connections, seconds, core = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
    os.sched_setaffinity(0, {core})
    requests = []
    for line in sys.stdin.read().splitlines():
        path, _, headers = line.partition("\t")
        fields = "".join(f"{header}\r\n" for header in headers.split("|") if header)
        requests.append(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode())
    print(json.dumps(asyncio.run(load(port, connections, seconds, requests))))


if __name__ == "__main__":
    main()
