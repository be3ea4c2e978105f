"""Whether anything can have changed since the last start prepared the database: if not, a second start skips that."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from restartix.environment import ROOT

_TOKENS_LAST_AT_LEAST_SECONDS = 3600


class Stamp:
    """A mark left beside the embedded database: what was prepared, when, from which code, and what it offers."""

    def __init__(self, folder: Path, *, demo: bool) -> None:
        """Look at the mark in the database's own folder: it goes when the database goes."""
        self._path = folder / "prepared.json"
        self._wanted = _digest(demo=demo)

    def offer(self) -> Mapping[str, Any] | None:
        """Return what the demo data offers if the mark is of today and of this code, else None."""
        try:
            kept = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return None
        if kept.get("digest") != self._wanted or not _tokens_last(kept["offer"]):
            return None
        offer: Mapping[str, Any] = kept["offer"]
        return offer

    def leave(self, offer: Mapping[str, Any]) -> None:
        """Leave the mark."""
        self._path.touch(mode=0o600)
        self._path.write_text(json.dumps({"digest": self._wanted, "offer": offer}))

    def remove(self) -> None:
        """Take the mark away: the next start prepares again."""
        self._path.unlink(missing_ok=True)


def _digest(*, demo: bool) -> str:
    """Return a digest of the code as it lies there, the day (demo data are a week around today) and the choice."""
    digest = hashlib.sha256(f"{demo} {datetime.now(UTC).date()}".encode())
    for path in sorted(_sources()):
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for folder in ("apps", "restartix"):
        yield from (ROOT / folder).rglob("*.py")
    yield ROOT / "requirements.lock"


def _tokens_last(offer: Mapping[str, Any]) -> bool:
    """Return whether every session token in the offer is good for another hour."""
    return all(
        _expiry(str(login["token"])) > time.time() + _TOKENS_LAST_AT_LEAST_SECONDS
        for login in offer.get("logins", [])
        if login.get("token")
    )


def _expiry(token: str) -> float:
    """Return `exp` of a token of our own, without checking it; 0 if it cannot be read."""
    try:
        payload = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])
    except (IndexError, KeyError, ValueError):
        return 0
