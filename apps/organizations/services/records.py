"""TXT records, as the DNS tells of them now."""

from __future__ import annotations

import ipaddress
import logging
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

from apps.organizations.errors import NoDns

logger = logging.getLogger(__name__)

#: Seconds that a question may take altogether, and that one nameserver is waited for at a time.
LIFETIME, PATIENCE = 5.0, 2.0
PORT = 53


@dataclass(frozen=True, slots=True)
class Seen:
    """The TXT values at one name, each with its character strings joined; `exists` is False for NXDOMAIN."""

    texts: tuple[str, ...]
    exists: bool = True


def texts_at(name: str) -> Seen:
    """Ask the resolvers of DNS_NAMESERVERS, or the system's, for the TXT records at `name`; takes at most 5 s.

    Hold no lock meanwhile. Raises NoDns (503) if none of them answers, or if what they say is a failure of theirs.
    """
    try:
        answer = _resolver().resolve(f"{name}.", "TXT", raise_on_no_answer=False, search=False)
    except (dns.resolver.NXDOMAIN, dns.name.NameTooLong, dns.name.LabelTooLong):
        return Seen((), exists=False)
    except (dns.exception.DNSException, OSError) as error:
        logger.warning("no DNS answer for %s: %s", name, error)
        raise NoDns from error
    return Seen(tuple(_text(record.strings) for record in answer.rrset or ()))


def _text(strings: tuple[bytes, ...]) -> str:
    return b"".join(strings).decode("utf-8", "replace")


def _resolver() -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=not settings.DNS_NAMESERVERS)
    if settings.DNS_NAMESERVERS:
        resolver.nameservers = [_nameserver(each) for each in settings.DNS_NAMESERVERS]
    resolver.lifetime, resolver.timeout = LIFETIME, PATIENCE
    return resolver


def _nameserver(address: str) -> Any:
    """Return the nameserver `host:port`, `host` or `[IPv6]:port`; a name among them is asked of the system."""
    bare = address if address.count(":") < 2 or address.startswith("[") else f"[{address}]"
    parts = urlsplit(f"//{bare}")
    host, port = parts.hostname or "", parts.port or PORT
    try:
        ipaddress.ip_address(host)
    except ValueError:
        host = str(socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4][0])
    return dns.nameserver.Do53Nameserver(host, port)


def nameservers() -> list[str]:
    """Return the resolvers that are asked, as `host:port`. Raises NoDns (503) if there are none or one has no address.

    For the doctor, which shows them.
    """
    try:
        return [str(each) for each in _resolver().nameservers]
    except (dns.exception.DNSException, OSError, ValueError) as error:
        raise NoDns(str(error)) from error
