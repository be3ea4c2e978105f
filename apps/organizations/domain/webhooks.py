"""What a webhook subscription may listen to, and where it may be sent. Source: contract/organizations.md 1.6, 1.8."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from restartix.kernel.outbound.addresses import is_loopback, is_public, literal_of

#: The catalogue: every event that can be subscribed to.
EVENT_TYPES = (
    "appointment.created",
    "appointment.updated",
    "appointment.cancelled",
    "appointment.noshow",
    "patient.onboarded",
    "patient.updated",
    "form.submitted",
    "form.signed",
    "document.generated",
    "document.signed",
    "segment.membership_changed",
    "treatment_plan.assigned",
    "treatment_session.completed",
    "treatment_session.skipped",
    "product_order.updated",
)
EVERYTHING = "*"
LONGEST_URL, MOST_EVENTS = 2048, 50
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f-\x9f\\<>\"`{}|^\u2028\u2029\ufeff]")

Problems = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """What deliveries may reach besides the public internet.

    `private_hosts` are excepted from every rule; `loopback` lets http go to this machine (development and tests only).
    """

    private_hosts: Collection[str] = ()
    loopback: bool = False


def event_problems(events: Sequence[object]) -> Problems:
    """Return what is wrong with the names in `events`, by their paths: 1 to 50 of the catalogue, or exactly `["*"]`."""
    if not 1 <= len(events) <= MOST_EVENTS:
        return {"events": [f"1 to {MOST_EVENTS} event names are expected"]}
    if EVERYTHING in events and len(events) > 1:
        return {"events": ['"*" stands alone: it means every event']}
    problems: dict[str, Sequence[str]] = {}
    for index, name in enumerate(events):
        if name != EVERYTHING and name not in EVENT_TYPES:
            problems[f"events[{index}]"] = ["unknown event"]
        elif name in events[:index]:
            problems[f"events[{index}]"] = ["given twice"]
    return problems


def url_problems(url: str, *, reach: Reach) -> Problems:
    """Return what is wrong with the address, empty for a good one; no name is resolved."""
    problem = _url_problem(url, reach)
    return {"url": [problem]} if problem else {}


def _url_problem(url: str, reach: Reach) -> str | None:
    parts = _split(url)
    if len(url) > LONGEST_URL:
        return f"at most {LONGEST_URL} characters are expected"
    if parts is None or not parts.hostname:
        return "a URL such as https://hooks.example.org/path is expected"
    if "@" in parts.netloc:
        return "user name and password are not accepted in a URL"
    if "#" in url:
        return "a fragment is not accepted"
    return _target_problem(parts.scheme, parts.hostname, reach)


def _target_problem(scheme: str, host: str, reach: Reach) -> str | None:
    """Judge where the address leads: over https to a public place, unless the installation makes an exception."""
    is_inside = is_excepted(host, reach=reach) or (scheme == "http" and reach.loopback and _is_this_machine(host))
    if scheme not in ({"http", "https"} if is_inside else {"https"}):
        return "https is expected"
    literal = literal_of(host)
    if not is_inside and literal is not None and not is_public(literal):
        return "a private, loopback or reserved address is not accepted"
    return None


def _split(url: str) -> SplitResult | None:
    """Take the URL apart; None for what is none."""
    if _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        port, host = parts.port, ascii_host(parts.hostname or "")
    except ValueError:
        return None
    return parts if port != 0 and host and len(host) <= 253 else None


def ascii_host(host: str) -> str:
    """Return the host name in lower case with A-labels (IDNA). Raises ValueError (UnicodeError) for what is no name."""
    if "%" in host:
        raise ValueError("a zone is not part of a public address")
    return host.lower() if host.isascii() else host.encode("idna").decode("ascii").lower()


def is_excepted(host: str, *, reach: Reach) -> bool:
    """Tell whether the operator lets deliveries go to this host wherever it is."""
    return host.lower() in {name.strip().lower() for name in reach.private_hosts}


def _is_this_machine(host: str) -> bool:
    literal = literal_of(host)
    return is_loopback(literal) if literal is not None else host.lower() == "localhost"
