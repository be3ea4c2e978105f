"""Host names: as a browser shows them, as they are stored, and which of them a clinic may call its own.

Source: contract/organizations.md 1.4 and 2.2 (resolve); RFC 5891 (IDNA 2008), RFC 1123 2.1.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Literal, NamedTuple

import idna

LONGEST = 253
_PORT = re.compile(r":[0-9]*\Z")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
#: A browser takes a name whose last label is such for an IPv4 address (WHATWG URL, "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_EXPECTED = "a domain name is expected, like portal.clinica-sud.example"


class PlatformHost(NamedTuple):
    """A host below the platform's own domain: whose it is, and which front end it serves."""

    slug: str
    face: Literal["clinic", "portal"]


def normalised(host: str) -> str:
    """Return `host` in lower case, without port and final dot, with A-labels (IDNA 2008) in place of other letters.

    What is no host name comes back as it is: nothing will be found under it.
    """
    bare = _PORT.sub("", host.strip()).removesuffix(".").lower()
    try:
        return _ascii(bare)
    except UnicodeError:
        return bare


def _ascii(name: str) -> str:
    """Return the name in A-labels. Raises UnicodeError (idna.IDNAError is one) where it has no such form."""
    if name.isascii():
        return name
    mapped = idna.uts46_remap(name, std3_rules=True, transitional=False)
    labels = mapped.removesuffix(".").split(".")
    if not all(labels):
        raise UnicodeError("empty label")
    return ".".join(label if label.isascii() else idna.alabel(label).decode("ascii") for label in labels)


def own_name(text: str, *, base_domain: str) -> str:
    """Return the domain that `text` names, as it is stored: lower-case A-labels without a final dot.

    Raises ValueError, with what is wrong, for a scheme, port, path, wildcard or address in place of a name, for less
    than two labels, and for a name at or under the platform's `base_domain`.
    """
    name = _readable(text.strip())
    labels = name.split(".")
    if not all(_is_label(label) for label in labels):
        raise ValueError(_EXPECTED)
    if len(name) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters expected")
    if _NUMBER.fullmatch(labels[-1]):
        raise ValueError("a name is expected, not an address")
    base = base_domain.lower().strip(".")
    if name == base or name.endswith(f".{base}"):
        raise ValueError(f"names at or under {base} are given by the platform")
    if len(labels) < 2:
        raise ValueError("at least two labels are expected, like clinica.example")
    return name


def _readable(text: str) -> str:
    for part, problem in (
        ("://", "without a scheme"),
        ("*", "without a wildcard"),
        ("/", "without a path"),
        ("@", "without a user"),
    ):
        if part in text:
            raise ValueError(f"{_EXPECTED}, {problem}")
    if _is_address(text):
        raise ValueError("a name is expected, not an address")
    if ":" in text:
        raise ValueError(f"{_EXPECTED}, without a port")
    try:
        return _ascii(text.lower()).removesuffix(".")
    except UnicodeError as error:
        raise ValueError(_EXPECTED) from error


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return False
    return True


def _is_label(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    if not label.startswith("xn--"):
        return True
    try:
        return idna.alabel(idna.ulabel(label)).decode("ascii") == label
    except UnicodeError:
        return False


def platform_host(host: str, *, base_domain: str) -> PlatformHost | None:
    """Return what `{slug}.clinic.<base>` or `{slug}.portal.<base>` names; None for any other host.

    `host` is normalised already.
    """
    labels = host.removesuffix(f".{base_domain.lower()}")
    slug, _, face = labels.partition(".")
    if labels == host or not slug or face not in {"clinic", "portal"}:
        return None
    return PlatformHost(slug, "clinic" if face == "clinic" else "portal")
