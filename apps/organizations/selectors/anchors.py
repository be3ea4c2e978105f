"""The anchor file: a JSON line for each sealing tells where the chains ended. Source: contract/telemetry.md 1.2."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import orjson

from apps.organizations.domain.verification import Place


class Anchor(NamedTuple):
    """One line: where chains ended when the rows up to `entry_id` had been sealed. The platform's chain is None."""

    entry_id: int
    heads: dict[int | None, Place]


def line_of(anchor: Anchor, *, at: str) -> bytes:
    """Return the line that is appended for `anchor`; `at` is an instant."""
    heads = [{"organization_id": key, "seq": head.seq, "hash": head.hash} for key, head in anchor.heads.items()]
    return orjson.dumps({"at": at, "entry_id": anchor.entry_id, "heads": heads}) + b"\n"


def anchors_in(path: Path) -> Iterator[Anchor]:
    """Yield the anchors of a file in their order, passing over a line that is not whole: a write that was cut off."""
    with path.open("rb") as file:
        for line in file:
            anchor = _read(line)
            if anchor:
                yield anchor


def last_anchor_in(file: IO[bytes]) -> Anchor | None:
    """Return the anchor in the last line of an open file, None if there is none or the line is not whole."""
    end = file.seek(0, io.SEEK_END)
    span = 4096
    while True:
        start = file.seek(max(end - span, 0))
        _, newline, line = file.read(end - start).removesuffix(b"\n").rpartition(b"\n")
        if newline or start == 0:
            return _read(line)
        span *= 8


def _read(line: bytes) -> Anchor | None:
    try:
        document = orjson.loads(line)
        heads = {head["organization_id"]: Place(head["seq"], head["hash"]) for head in document["heads"]}
        return Anchor(document["entry_id"], heads)
    except (ValueError, KeyError, TypeError):
        return None
