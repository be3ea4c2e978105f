"""How a receiver checks what it gets, in three languages; the files that the guide and the tests use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from restartix.environment import ROOT

_LANGUAGES = {"python": "Python", "node": "Node", "php": "PHP"}


@dataclass(frozen=True, slots=True)
class Snippet:
    """One language's code."""

    slug: str
    name: str
    code: str


@cache
def all_of_them() -> list[Snippet]:
    """Return every snippet."""
    folder = ROOT / "static" / "webhooks"
    return [
        Snippet(slug, name, (folder / f"verify.{slug}.txt").read_text().strip()) for slug, name in _LANGUAGES.items()
    ]
