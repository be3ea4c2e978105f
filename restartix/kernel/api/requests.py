"""What a request tells about itself: its id, its client's address, its trace for the audit."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.http import HttpRequest

from restartix.kernel.logs import current_request_id
from restartix.kernel.tenancy import Trace

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
API_PATHS = ("/v1/", "/webhooks/")
USER_AGENT_CHARACTERS = 256
_REMEMBERED, _ADDRESS = "restartix.request_id", "restartix.client_ip"


def is_api(path: str) -> bool:
    """Tell whether `path` answers in JSON whatever happens."""
    return path.startswith(API_PATHS) or path in {"/v1", "/webhooks"}


def request_id_of(request: HttpRequest) -> str:
    """Return the request's id: the caller's `X-Request-ID` if it is a sane token, else a new one; always the same."""
    known: str | None = request.META.get(_REMEMBERED)
    if known is None:
        sent: str = request.META.get("HTTP_X_REQUEST_ID", "")
        known = request.META[_REMEMBERED] = sent if SANE_REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
    return known


@contextmanager
def remember_request_id(request: HttpRequest) -> Iterator[str]:
    """Make the request's id the current one while it is answered, for log lines; yield it."""
    request_id = request_id_of(request)
    token = current_request_id.set(request_id)
    try:
        yield request_id
    finally:
        current_request_id.reset(token)


def client_ip(request: HttpRequest) -> str:
    """Return the client's address in canonical form, or an empty string where the connection has none.

    The connection's, or, behind `TRUSTED_PROXY_COUNT` proxies, the entry of `X-Forwarded-For` that the outermost of
    them wrote: the n-th from the right. What stands further left is the client's own claim and is not read.
    """
    meta = request.META
    if _ADDRESS not in meta:
        forwarded_for = meta.get("HTTP_X_FORWARDED_FOR", "")
        meta[_ADDRESS] = address_behind(meta.get("REMOTE_ADDR", ""), forwarded_for, settings.TRUSTED_PROXY_COUNT)
    address: str = meta[_ADDRESS]
    return address


def address_behind(connection: str, forwarded_for: str, proxies: int) -> str:
    """Return the client's address, given the connection's, the header, and how many right-most hops are ours."""
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    candidate = hops[-min(proxies, len(hops))] if proxies and hops else connection
    return canonical_address(candidate) or canonical_address(connection)


def canonical_address(text: str) -> str:
    """Return an address without port, brackets, zone or IPv4 mapping, or an empty string if it is not one."""
    text = text.strip().removeprefix("[").split("]")[0].split("%")[0]
    if text.count(":") == 1:
        text = text.split(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def network_of(address: str) -> str:
    """Return what one subscriber can vary: the address itself for IPv4, its /64 for IPv6."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))


def trace_of(request: HttpRequest) -> Trace:
    """Return where the request came from, as its audit rows keep it."""
    return Trace(
        source="api",
        request_id=request_id_of(request),
        ip=client_ip(request) or None,
        user_agent=_printable(request.META.get("HTTP_USER_AGENT", ""))[:USER_AGENT_CHARACTERS] or None,
        method=request.method,
        path=_printable(request.path)[:1024],
    )


def _printable(text: str) -> str:
    """Drop what PostgreSQL and log files cannot hold: control characters and unpaired surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter for letter in text if letter.isprintable())
