"""Which addresses are the public internet: said positively, so that a range nobody thought of is refused."""

from __future__ import annotations

import re
import socket
import unicodedata
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address

#: Protocol assignments, of which some Python versions know a part only, and relay anycast.
_NOT_IPV4_HOSTS = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_GLOBAL_UNICAST = IPv6Network("2000::/3")
#: Inside 2000::/3, and yet not a host of the internet: protocol assignments (Teredo, ORCHID), 6to4, documentation.
_NOT_HOSTS = tuple(map(IPv6Network, ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20")))
_NUMERIC = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)(\.(0[xX][0-9a-fA-F]*|[0-9]+)){0,3}\.?")


def is_public(address: Address) -> bool:
    """Tell whether the address is a host of the public internet; IPv4 inside IPv6 (::ffff:0:0/96) is judged as IPv4."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        return address in _GLOBAL_UNICAST and not any(address in network for network in _NOT_HOSTS)
    return (
        address.is_global
        and not (address.is_reserved or address.is_multicast or address.is_private)
        and not any(address in network for network in _NOT_IPV4_HOSTS)
    )


def is_loopback(address: Address) -> bool:
    """Tell whether the address is this machine itself, also where IPv4 is written inside IPv6."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def literal_of(host: str) -> Address | None:
    """Return the address that `host` spells, None for a name.

    Every spelling that a resolver takes counts: `127.1`, `2130706433`, `0x7f000001`, octal, full-width digits, `[::1]`.
    """
    bare = unicodedata.normalize("NFKC", host).replace("\u3002", ".").removeprefix("[").removesuffix("]")
    try:
        return ip_address(bare.partition("%")[0])
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(bare):
        return None
    try:
        return IPv4Address(socket.inet_aton(bare.removesuffix(".")))
    except OSError:
        return None
