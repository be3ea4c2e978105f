"""Names turned into parts of an address: `Îngrijire și țesut` becomes `ingrijire-si-tesut`.

Source: contract/profiles.md 1.7 and scheduling.md 1.3: `[a-z0-9-]{2,80}`, with `-2`, `-3` ... on a clash.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Container

SHORTEST, LONGEST = 2, 80
# Letters that Unicode does not take apart into a base letter and a mark.
WHOLE_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ħ": "h", "ı": "i"}
)


def slugify(text: str, *, fallback: str) -> str:
    """Return the slug of a name; `fallback` stands in, or in front, when fewer than two characters are left of it."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(WHOLE_LETTERS))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) < SHORTEST:
        slug = f"{fallback}-{slug}".strip("-")
    return slug[:LONGEST].rstrip("-")


def free_slug(wanted: str, taken: Container[str]) -> str:
    """Return `wanted`, if taken with the first free suffix of `-2`, `-3` ..., shortened where that needs the room."""
    if wanted not in taken:
        return wanted
    for number in itertools.count(2):
        suffix = f"-{number}"
        candidate = wanted[: LONGEST - len(suffix)].rstrip("-") + suffix
        if candidate not in taken:
            return candidate
    raise AssertionError("unreachable: there are infinitely many numbers")
