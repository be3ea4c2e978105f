"""`manage.py rotate_encryption_keys`: seals everything under the newest key, while the platform serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from apps.organizations.services import rotation
from restartix.kernel import crypto
from restartix.kernel.commands import Command as BaseCommand


class Command(BaseCommand):
    help = (
        "Seal every sealed column under the newest of ENCRYPTION_KEYS, while the platform serves; begun again, it goes "
        "on where it was. 1 while something is still sealed under an older key."
    )
    can_dry_run = True

    def perform(self, *, dry_run: bool = False, **options: Any) -> dict[str, Any]:
        before = rotation.outdated()
        total = sum(before.values())
        self.say(f"key {crypto.newest_version()} is the newest; {total} values are sealed under older ones")
        sealed: Counter[str] = Counter()
        if not dry_run:
            batches = -(-total // rotation.BATCH)
            for done in self.progress(rotation.rotate(), total=batches, what="sealing"):
                sealed[done.column] += done.sealed
        left = before if dry_run else rotation.outdated()
        return {
            "key": crypto.newest_version(),
            "dry_run": dry_run,
            "columns": [
                {"column": column, "outdated": count, "sealed": sealed[column], "left": left[column]}
                for column, count in before.items()
            ],
            "sealed": sum(sealed.values()),
            "left": sum(left.values()),
        }

    def lines(self, result: Any) -> Iterable[str]:
        for each in result["columns"]:
            if each["outdated"] or each["left"]:
                yield f"{each['column']}: {each['sealed']} sealed anew, {each['left']} under an older key"
        if result["dry_run"]:
            yield f"would seal {result['left']} values under key {result['key']}"
        elif result["left"]:
            yield f"{result['left']} values are still under an older key: see the log, keep that key, and run it again"
        else:
            yield f"everything is sealed under key {result['key']}: older keys may be dropped from ENCRYPTION_KEYS"

    def failed(self, result: Any) -> bool:
        return bool(result["left"]) and not result["dry_run"]
