"""Check that the audit trail is what it was."""

from __future__ import annotations

import time
from argparse import ArgumentTypeError
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.organizations.domain.verification import Entry
from apps.organizations.selectors import chains
from restartix.kernel.commands import Command as BaseCommand


def _sequence_number(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("a whole number from 1 on is expected")
    return int(text)


def _file(text: str) -> Path:
    if not Path(text).is_file():
        raise ArgumentTypeError(f"there is no file {text}")
    return Path(text)


class Command(BaseCommand):
    help = (
        "Check the chain of every organization and that of the platform: each row's hash, its link to the row before, "
        "its changes, and the end. Exits with 1 and the first broken row where a chain does not hold."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", metavar="SLUG", help="this organization only")
        parser.add_argument("--from-seq", metavar="N", type=_sequence_number, default=1, help="begin with this row")
        parser.add_argument(
            "--anchors", metavar="PATH", type=_file, help="compare with the heads in this file (AUDIT_ANCHOR_PATH)"
        )

    def perform(
        self, *, organization: str | None, from_seq: int, anchors: Path | None, **options: Any
    ) -> dict[str, Any]:
        began = time.monotonic()
        verified = chains.verify(slug=organization, first=from_seq, anchors=anchors, watch=self._watch)
        return {
            "ok": not any(chain.check.problems for chain in verified),
            "checked": sum(chain.check.sealed for chain in verified),
            "seconds": round(time.monotonic() - began, 3),
            "chains": [_shown(chain) for chain in verified],
        }

    def _watch(self, chunks: Iterable[list[Entry]], *, total: int) -> Iterator[list[Entry]]:
        return self.progress(chunks, total=total, what="verifying")

    def failed(self, result: dict[str, Any]) -> bool:
        return not result["ok"]

    def lines(self, result: dict[str, Any]) -> Iterator[str]:
        """Show a line for each chain that has rows, below the broken ones their first problem, and the sum."""
        for chain in result["chains"]:
            if chain["entries"] or not chain["ok"]:
                name = chain["slug"] or chain["organization_id"] or "platform"
                rows = f"{chain['sealed']} sealed ({chain['first_seq']} to {chain['last_seq']})"
                yield f"{'ok    ' if chain['ok'] else 'BROKEN'} {name}: {rows}, {chain['unsealed']} not yet"
            for problem in chain["problems"][:1]:
                yield f"       first broken row: seq {problem['seq']}, uid {problem['uid']}: {problem['kind']}"
        verdict = "every chain holds" if result["ok"] else "the audit trail does not hold"
        yield f"{result['checked']} rows in {result['seconds']} s: {verdict}"


def _shown(chain: chains.Verified) -> dict[str, Any]:
    check = chain.check
    return {
        "organization_id": chain.organization_id,
        "slug": chain.slug,
        "entries": check.entries,
        "sealed": check.sealed,
        "unsealed": check.unsealed,
        "first_seq": check.first_seq,
        "last_seq": check.last_seq,
        "head_hash": chain.head.hash if chain.head else None,
        "ok": not check.problems,
        "problems": [problem._asdict() for problem in check.problems],
    }
