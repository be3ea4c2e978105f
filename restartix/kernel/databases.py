"""Which database role does what: the application reads and writes rows, the owner alone changes tables."""

from __future__ import annotations

from typing import Any


class OwnerMigrates:
    """Let migrations run on the alias `owner` only."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Say whether tables may be made over the alias `db`."""
        return db == "owner"
