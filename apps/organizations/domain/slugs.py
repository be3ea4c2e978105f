"""An organization's slug: unique for ever, part of its addresses. Source: contract/organizations.md 1.3."""

from __future__ import annotations

PATTERN = r"[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]"
LONGEST = 63
EXPECTED = "3 to 63 lower-case letters, digits and single hyphens are expected, with no hyphen at either end"
#: Names that the platform keeps for itself.
RESERVED = frozenset(
    "www api admin clinic portal app v1 static media dashboard public support status mail".split()  # noqa: SIM905
)


def problem(slug: str) -> str | None:
    """Return why a slug of the right form cannot be had, or None if it can."""
    if "--" in slug:
        return EXPECTED
    if slug in RESERVED:
        return "this name is reserved"
    return None
