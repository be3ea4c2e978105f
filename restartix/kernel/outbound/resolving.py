"""From a host name to its addresses, once, within a deadline."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Protocol

import dns.exception
import dns.resolver
from dns.inet import is_address

from restartix.kernel.outbound.addresses import Address, literal_of


class NotResolved(Exception):
    """The name has no address, or its servers did not answer in time."""


class Resolver(Protocol):
    """Whatever finds the addresses of a name."""

    def __call__(self, host: str, *, seconds: float) -> Sequence[Address]:
        """Return every address of `host` within so many seconds. Raises NotResolved."""
        ...


def resolver(nameservers: Sequence[str] = ()) -> Resolver:
    """Return what resolves names by these servers (`host:port`), or by the system's where none is named."""
    servers = [server.rpartition(":") for server in nameservers]

    def resolve(host: str, *, seconds: float) -> Sequence[Address]:
        literal = literal_of(host)
        if literal is not None:
            return [literal]
        if servers and host != "localhost":
            return _asked(servers, host, seconds)
        return _by_system(host, seconds)

    return resolve


def _asked(servers: Sequence[tuple[str, str, str]], host: str, seconds: float) -> Sequence[Address]:
    asking = dns.resolver.Resolver(configure=False)
    addresses = [name if separator else port for name, separator, port in servers]
    if not all(map(is_address, addresses)):
        raise NotResolved("a name server is named by no address")
    asking.nameservers = list(addresses)
    asking.nameserver_ports = {
        name if separator else port: int(port) if separator else 53 for name, separator, port in servers
    }
    asking.lifetime = asking.timeout = seconds
    try:
        found = asking.resolve_name(host, search=False)
        return [ip_address(each) for each in found.addresses()]
    except dns.exception.DNSException as error:
        raise NotResolved(host) from error


def _by_system(host: str, seconds: float) -> Sequence[Address]:
    """Ask the system, whose call cannot be interrupted: a thread that is late is left to end by itself."""
    answers: queue.SimpleQueue[Sequence[Address] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers.put([ip_address(str(each[4][0]).partition("%")[0]) for each in found])
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name=f"resolve {host[:40]}").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise NotResolved(host) from None
    if isinstance(answer, Exception) or not answer:
        raise NotResolved(host)
    return list(dict.fromkeys(answer))
