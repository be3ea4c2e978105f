"""Catalogue files: `.po` as people edit them, `.mo` as Django reads them (GNU gettext's formats)."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Key(NamedTuple):
    """What identifies a message in a catalogue."""

    context: str
    text: str
    plural: str


Catalogue = dict[Key, list[str]]

HEADERS = {
    "ro": "nplurals=3; plural=(n==1?0:(((n%100>19)||((n%100==0)&&(n!=0)))?2:1));",
    "en": "nplurals=2; plural=(n != 1);",
}
FORMS = {"ro": 3, "en": 2}
_LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[(\d+)\])?\s+)?(".*")$')


def header(language: str) -> str:
    """Return the first entry's text: charset, language, plural rule."""
    return (
        f"Project-Id-Version: restartix\nLanguage: {language}\nMIME-Version: 1.0\n"
        f"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\nPlural-Forms: {HEADERS[language]}\n"
    )


def read_po(path: Path) -> Catalogue:
    """Return the messages of a `.po` file; fuzzy and obsolete ones count as not translated. A missing file has none."""
    found: Catalogue = {}
    for block in path.read_text().split("\n\n") if path.exists() else ():
        entry = _entry(block)
        if entry is not None:
            found[entry[0]] = entry[1]
    return found


def _entry(block: str) -> tuple[Key, list[str]] | None:
    parts: dict[str, str] = {}
    current = ""
    is_fuzzy = False
    for line in block.splitlines():
        is_fuzzy = is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
        matched = _LINE.match(line)
        if matched is None or line.startswith("#"):
            continue
        if matched[1]:
            current = matched[1] + (matched[2] or "")
            parts[current] = ""
        parts[current] += ast.literal_eval(matched[3])
    if "msgid" not in parts:
        return None
    key = Key(parts.get("msgctxt", ""), parts["msgid"], parts.get("msgid_plural", ""))
    said = [text for name, text in sorted(parts.items()) if name.startswith("msgstr")]
    return key, [""] * len(said) if is_fuzzy and key.text else said


def write_po(path: Path, language: str, catalogue: Mapping[Key, list[str]], places: Mapping[Key, set[str]]) -> None:
    """Write a `.po` file, sorted, each message with the files that say it."""
    blocks = [f'msgid ""\nmsgstr ""\n{_lines(header(language))}']
    keys = sorted(key for key in catalogue if key.text)
    blocks += ["\n".join(_block(key, catalogue[key], places.get(key, set()))) for key in keys]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n")


def _lines(text: str) -> str:
    return "\n".join(_quoted(line) for line in text.splitlines(keepends=True))


def _block(key: Key, said: list[str], places: set[str]) -> Iterator[str]:
    for place in sorted(places):
        yield f"#: {place}"
    if key.context:
        yield f"msgctxt {_quoted(key.context)}"
    yield f"msgid {_quoted(key.text)}"
    if key.plural:
        yield f"msgid_plural {_quoted(key.plural)}"
        yield from (f"msgstr[{index}] {_quoted(text)}" for index, text in enumerate(said))
    else:
        yield f"msgstr {_quoted(said[0] if said else '')}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def compiled(language: str, catalogue: Mapping[Key, list[str]]) -> bytes:
    """Return the `.mo` file of the translated messages."""
    pairs = {b"": header(language).encode()}
    for key, said in catalogue.items():
        if key.text and said and all(said):
            full = f"{key.context}\x04{key.text}" if key.context else key.text
            pairs[(f"{full}\0{key.plural}" if key.plural else full).encode()] = "\0".join(said).encode()
    ordered = sorted(pairs.items())
    count, table = len(ordered), 28
    keys, values, blob = b"", b"", b""
    start = table + 16 * count
    for name, _said in ordered:
        keys += struct.pack("<II", len(name), start + len(blob))
        blob += name + b"\0"
    for _name, said_bytes in ordered:
        values += struct.pack("<II", len(said_bytes), start + len(blob))
        blob += said_bytes + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, count, table, table + 8 * count, 0, table + 16 * count)
    return head + keys + values + blob
