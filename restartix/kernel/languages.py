"""The languages that pages and mail speak."""

from __future__ import annotations

LANGUAGES = {"ro": "Română", "en": "English"}
#: For whoever speaks none of ours.
FALLBACK = "en"


def spoken(locale: str | None, otherwise: str = FALLBACK) -> str:
    """Return the language of ours that a BCP 47 tag (`ro-MD`) means, or `otherwise`."""
    language = (locale or "").split("-")[0].lower()
    return language if language in LANGUAGES else otherwise
