"""One request to an address outside: pinned to a judged address, bounded in time and size, never redirected.

Nothing of the environment (proxies, netrc) is read, nothing is decompressed, certificates are always verified.
"""

from __future__ import annotations

import errno
import http.client
import io
import socket
import ssl
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from restartix.kernel.outbound.addresses import Address
from restartix.kernel.outbound.resolving import NotResolved, Resolver, resolver

#: From connecting to the last byte read; the resolver has its own time before that.
TIMEOUT_SECONDS = 15.0
RESOLVE_SECONDS = 5.0
#: One address that does not answer leaves time for the next.
CONNECT_SECONDS = 5.0
MOST_READ = 65_536
LONGEST_SNIPPET = 1024


class Failure(StrEnum):
    """How a request failed."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    DNS = "dns"
    TLS = "tls"
    REDIRECT = "redirect"
    HTTP_STATUS = "http_status"
    BLOCKED_ADDRESS = "blocked_address"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered, as far as it answered; `failure` is None exactly for a 2xx. At most MOST_READ bytes."""

    failure: Failure | None
    response_code: int | None = None
    content: bytes | None = None
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a POST; `failure` is None exactly for a 2xx."""

    failure: Failure | None
    response_code: int | None = None
    snippet: str | None = None
    duration_ms: int = 0


class _Failed(Exception):
    def __init__(self, failure: Failure, response_code: int | None = None) -> None:
        self.failure, self.response_code = failure, response_code


#: Whether a host (first) may be reached at one of its addresses (second).
Judge = Callable[[str, Address], bool]


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends requests; `may_reach` judges every address of the host, one bad one spoils them all."""

    may_reach: Judge
    resolve: Resolver = field(default_factory=resolver)
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context
    timeout_seconds: float = TIMEOUT_SECONDS

    def post(
        self, url: str, *, headers: Mapping[str, str], body: bytes, before: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Send `body`; `before()` is called when the addresses are judged and the connection is about to be opened."""
        reply = self.request("POST", url, headers=headers, body=body, before=before)
        snippet = None if reply.content is None else snippet_of(reply.content[: LONGEST_SNIPPET * 4])
        return Outcome(reply.failure, reply.response_code, snippet, reply.duration_ms)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes = b"",
        before: Callable[[], None] = lambda: None,
    ) -> Reply:
        """Make one request; `before()` is called when the addresses are judged and the connection is to be opened."""
        began = time.monotonic()
        try:
            parts = urlsplit(url)
            host = _ascii(parts.hostname or "")
            addresses = self._addresses(host)
            before()
            code, content = self._exchange(parts, host, addresses, _written(method, parts, host, headers, body))
            reply = Reply(_failure_of(code), code, content)
        except _Failed as failed:
            reply = Reply(failed.failure, failed.response_code)
        except ValueError:  # a URL that was good when it was stored is no name any more
            reply = Reply(Failure.DNS)
        return replace(reply, duration_ms=int((time.monotonic() - began) * 1000))

    def _addresses(self, host: str) -> Sequence[Address]:
        try:
            addresses = self.resolve(host, seconds=RESOLVE_SECONDS)
        except NotResolved as error:
            raise _Failed(Failure.DNS) from error
        if not all(self.may_reach(host, address) for address in addresses):
            raise _Failed(Failure.BLOCKED_ADDRESS)
        return addresses

    def _exchange(
        self, parts: SplitResult, host: str, addresses: Sequence[Address], request: bytes
    ) -> tuple[int, bytes]:
        deadline = time.monotonic() + self.timeout_seconds
        code: list[int] = []
        try:
            with self._connected(parts, host, addresses, deadline) as connection:
                connection.settimeout(_left(deadline))
                connection.sendall(request)
                return _response(connection, deadline, code)
        except TimeoutError as error:
            raise _Failed(Failure.TIMEOUT, *code) from error
        except ssl.SSLError as error:
            raise _Failed(Failure.TLS, *code) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Failed(Failure.CONNECTION, *code) from error

    def _connected(self, parts: SplitResult, host: str, addresses: Sequence[Address], deadline: float) -> socket.socket:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        plain = _open(addresses, port, deadline)
        if parts.scheme != "https":
            return plain
        try:
            secure = self.tls().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
            secure.settimeout(_left(deadline))
            secure.do_handshake()
        except BaseException:
            plain.close()
            raise
        return secure


def _open(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
    """Connect to the first address that answers; each has its part of the time."""
    last: OSError = OSError(errno.EHOSTUNREACH, "no address")
    for address in addresses:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        try:
            connection = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a machine without IPv6
            last = error
            continue
        connection.settimeout(min(_left(deadline), CONNECT_SECONDS) if len(addresses) > 1 else _left(deadline))
        try:
            connection.connect((str(address), port))
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _ascii(host: str) -> str:
    return host if host.isascii() else host.encode("idna").decode("ascii").lower()


def _written(method: str, parts: SplitResult, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write the request; the host is the one that was named, not the address."""
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
        "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]") if parts.query else ""
    )
    name = f"[{host}]" if ":" in host else host
    lines = {
        "Host": f"{name}:{parts.port}" if parts.port else name,
        "Connection": "close",
        "Accept-Encoding": "identity",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = "".join(f"{field_name}: {value}\r\n" for field_name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


class _Bounded(io.RawIOBase):
    """Reads a connection until the deadline, whatever the pieces, and no more than it may."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline, self._left = connection, deadline, MOST_READ

    @property
    def is_exhausted(self) -> bool:
        return self._left == 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._left)
        if not wanted:
            return 0
        self._connection.settimeout(_left(self._deadline))
        got = self._connection.recv_into(memoryview(buffer)[:wanted])
        self._left -= got
        return got


class _Readable:
    """What `http.client` asks of a socket."""

    def __init__(self, raw: _Bounded) -> None:
        self._raw = raw

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


def _response(connection: socket.socket, deadline: float, code: list[int]) -> tuple[int, bytes]:
    """Read the answer: all of it, or as much as may be read; `code` gets the status as soon as it is known."""
    raw = _Bounded(connection, deadline)
    response = http.client.HTTPResponse(_Readable(raw), method="POST")  # type: ignore[arg-type]
    response.begin()
    code.append(response.status)
    content = b""
    try:
        while piece := response.read(8192):
            content += piece
    except http.client.IncompleteRead as error:
        if not raw.is_exhausted:  # the receiver broke off; otherwise we have read as much as we do
            raise
        content += error.partial
    return response.status, content


def _failure_of(code: int) -> Failure | None:
    if 200 <= code < 300:
        return None
    return Failure.REDIRECT if 300 <= code < 400 else Failure.HTTP_STATUS


def snippet_of(content: bytes) -> str:
    """Return the beginning of an answer as text without control characters, at most 1024 characters."""
    text = content.decode("utf-8", "replace")
    return "".join(each for each in text if unicodedata.category(each) != "Cc")[:LONGEST_SNIPPET]
