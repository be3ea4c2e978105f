"""Host names: as a browser shows them, and as they are stored.

Source: contract/organizations.md 1.4 and 2.2 (resolve).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

_PORT = re.compile(r":[0-9]*\Z")


class PlatformHost(NamedTuple):
    """A host below the platform's own domain: whose it is, and which front end it serves."""

    slug: str
    face: Literal["clinic", "portal"]


def normalised(host: str) -> str:
    """Return `host` in lower case, without port and final dot, with A-labels (IDNA) in place of other letters.

    What is no host name comes back as it is: nothing will be found under it.
    """
    bare = _PORT.sub("", host.strip()).removesuffix(".").lower()
    if bare.isascii():
        return bare
    try:
        return bare.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return bare


def platform_host(host: str, *, base_domain: str) -> PlatformHost | None:
    """Return what `{slug}.clinic.<base>` or `{slug}.portal.<base>` names; None for any other host.

    `host` is normalised already.
    """
    labels = host.removesuffix(f".{base_domain.lower()}")
    slug, _, face = labels.partition(".")
    if labels == host or not slug or face not in {"clinic", "portal"}:
        return None
    return PlatformHost(slug, "clinic" if face == "clinic" else "portal")
