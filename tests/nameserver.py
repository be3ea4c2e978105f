"""A DNS server on loopback, over UDP and TCP, whose records a test writes while it runs."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer:
    """TXT records by name; each value is a text, or several that are one record's character strings."""

    def __init__(self) -> None:
        self.records: dict[str, list[str | tuple[str, ...]]] = {}
        self.rcode = dns.rcode.NOERROR
        self.is_silent = False
        self.asked: list[str] = []
        self.by_tcp = 0
        self.address = ""

    def publish(self, verification: dict[str, str]) -> None:
        """Publish the record that the contract's `verification` asks for."""
        self.records[verification["record_name"]] = [verification["record_value"]]

    def answer(self, wire: bytes, *, limit: int) -> bytes | None:
        query = dns.message.from_wire(wire)
        name = query.question[0].name.to_text().removesuffix(".").lower()
        self.asked.append(name)
        if self.is_silent:
            return None
        response = dns.message.make_response(query)
        response.set_rcode(self.rcode)
        if self.rcode == dns.rcode.NOERROR:
            self._fill(response, name)
        wire = response.to_wire(max_size=65535)
        if len(wire) <= limit:
            return wire
        short = dns.message.make_response(query)
        short.flags |= dns.flags.TC
        return short.to_wire()

    def _fill(self, response: dns.message.Message, name: str) -> None:
        if name not in self.records:
            response.set_rcode(dns.rcode.NXDOMAIN)
            return
        texts = [" ".join(_quoted(part) for part in _parts(value)) for value in self.records[name]]
        if texts:
            response.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", "TXT", *texts))


def _parts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _quoted(part: str) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in part.encode()) + '"'


@contextmanager
def running() -> Iterator[NameServer]:
    """Serve on a free port of 127.0.0.1 until the block ends; `address` is its host:port."""
    server = NameServer()

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sender = self.request
            wire = server.answer(data, limit=512)
            if wire is not None:
                sender.sendto(wire, self.client_address)

    class Tcp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.by_tcp += 1
            (length,) = struct.unpack("!H", self._exactly(2))
            wire = server.answer(self._exactly(length), limit=65535)
            if wire is not None:
                self.request.sendall(struct.pack("!H", len(wire)) + wire)

        def _exactly(self, count: int) -> bytes:
            data = b""
            while len(data) < count and (more := self.request.recv(count - len(data))):
                data += more
            return data

    udp, tcp = _bound(Udp, Tcp)
    with udp, tcp:
        for each in (udp, tcp):
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        server.address = f"127.0.0.1:{tcp.server_address[1]}"
        try:
            yield server
        finally:
            udp.shutdown()
            tcp.shutdown()


def _bound(udp: type, tcp: type) -> tuple[socketserver.ThreadingUDPServer, socketserver.ThreadingTCPServer]:
    """Both servers on one port that is free for both."""
    for _ in range(50):
        stream = socketserver.ThreadingTCPServer(("127.0.0.1", 0), tcp)
        stream.daemon_threads = True
        try:
            return socketserver.ThreadingUDPServer(stream.server_address, udp), stream
        except OSError:
            stream.server_close()
    raise AssertionError("no port is free for UDP and TCP")
