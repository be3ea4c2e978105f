"""What the two commands of erasure have in common: the rehearsal, and the protocol for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from apps.profiles.services.erasure import Protocol
from restartix.kernel.commands import Command
from restartix.kernel.errors import Invalid


class ErasingCommand(Command):
    """A command that erases one person and reports the protocol; `--dry-run` rehearses it and changes nothing."""

    can_dry_run = True

    def protocol(self, erase: Callable[[], Protocol], *, reason: str, dry_run: bool) -> dict[str, Any]:
        """Erase, or rehearse. Raises Invalid (422) without a reason."""
        if not reason.strip():
            raise Invalid({"reason": ["a reason is expected"]})
        with transaction.atomic():
            done = erase()
            transaction.set_rollback(dry_run)
        return {"dry_run": dry_run, **done.as_json()}

    def lines(self, result: dict[str, Any]) -> Iterable[str]:
        """Yield the protocol: what was removed, what the law keeps, and what is left to do by hand."""
        verb = "would be" if result["dry_run"] else "was"
        yield f"person {result['person_id']} {verb} erased and is called {result['pseudonym']}"
        yield "removed:"
        yield from (f"  {count:>6}  {what}" for what, count in result["removed"].items())
        yield "kept:"
        yield from (f"  {each['what']}: {each['why']}" for each in result["kept"])
        yield "to do:"
        yield from (f"  {step}" for step in result["to_do"])
