"""Keeping the catalogues: bring them up to date with the code, compile them, and say what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from restartix.catalogues.files import FORMS, Catalogue, Key, compiled, read_po, write_po
from restartix.catalogues.messages import Message, collected, django_messages
from restartix.environment import ROOT

#: Romanian says everything; English, in which the code speaks, only what it says better than the code.
COMPLETE = "ro"
LANGUAGES = ("ro", "en")


def po_path(language: str) -> Path:
    """Return where the editable catalogue lies."""
    return ROOT / "locale" / language / "LC_MESSAGES" / "django.po"


def mo_path(language: str) -> Path:
    """Return where the compiled catalogue lies."""
    return po_path(language).with_suffix(".mo")


def refresh() -> None:
    """Add new messages to the catalogues, drop those that nobody says any more, and compile both."""
    places = {_key(message): where for message, where in collected().items()}
    for language in LANGUAGES:
        stored = read_po(po_path(language))
        catalogue = _fitted(language, stored, places)
        write_po(po_path(language), language, catalogue, places)
        mo_path(language).write_bytes(compiled(language, catalogue))


def _fitted(language: str, stored: Catalogue, said: Iterable[Key]) -> Catalogue:
    """Return what of `stored` is still said, and, for the complete language, an empty entry for what is new."""
    kept = django_messages() | set(said)
    known = {key: list(texts) for key, texts in stored.items() if key in kept or _is_special(key, said)}
    if language == COMPLETE:
        for key in said:
            known.setdefault(key, [""] * (FORMS[language] if key.plural else 1))
    return known


def _is_special(key: Key, said: Iterable[Key]) -> bool:
    """Tell whether the entry is a name said differently for one model (context `scheduling.appointment`)."""
    return "." in key.context and Key("name", key.text, "") in said


def problems() -> list[str]:
    """Return what is wrong with the committed catalogues: missing, left over, not compiled."""
    said = {_key(message) for message in collected()}
    found: list[str] = []
    for language in LANGUAGES:
        stored = read_po(po_path(language))
        keys = {key for key in stored if key.text}
        if language == COMPLETE:
            found += [f"{language}: not there: {key.text!r} ({key.context})" for key in sorted(said - keys)]
            found += [f"{language}: not translated: {key.text!r}" for key in sorted(keys) if not all(stored[key])]
        left = [key for key in sorted(keys - said - django_messages()) if not _is_special(key, said)]
        found += [f"{language}: nobody says any more: {key.text!r} ({key.context})" for key in left]
        if not mo_path(language).exists() or mo_path(language).read_bytes() != compiled(language, stored):
            found.append(f"{language}: {mo_path(language).name} is not what {po_path(language).name} says")
    return found


def _key(message: Message) -> Key:
    return Key(message.context, message.text, message.plural)
