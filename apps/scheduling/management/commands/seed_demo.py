"""Load the demo clinics, or the benchmarks' data set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.organizations.models import User
from apps.scheduling.management.demo import accounts, bulk, removal, seeding
from apps.scheduling.management.demo.plan import BULK_DOMAIN
from restartix.kernel.commands import Command as BaseCommand
from restartix.launch.steps import columns


class Command(BaseCommand):
    help = (
        "Load the demo clinics with staff, patients, hours and a believable week around today. Repeating it on the "
        "same day adds nothing; on a later day it brings the week up to date. --size large loads what the benchmarks "
        "need: 200 clinics, 100,000 patients, 500,000 appointments."
    )

    can_dry_run = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=["small", "large"], default="small")
        parser.add_argument(
            "--reset", action="store_true", help="remove every demo clinic with all its rows first, then make them anew"
        )
        parser.add_argument(
            "--tokens",
            type=Path,
            metavar="FILE",
            help="with --size large: write `organization token` of each clinic's admin to FILE, for load generators",
        )
        parser.add_argument(
            "--with-debug-off",
            action="store_true",
            help="load into an installation with DEBUG off: everybody knows the passwords of the demo",
        )

    def perform(
        self, *, size: str, reset: bool, tokens: Path | None, with_debug_off: bool, dry_run: bool, **options: object
    ) -> dict[str, Any]:
        if not settings.DEBUG and not with_debug_off:
            raise CommandError(
                "DEBUG is off, and everybody knows the passwords of the demo. If this is meant: --with-debug-off."
            )
        if dry_run:
            return self._foretold(size, is_reset=reset)
        if reset:
            self.say(f"removed {removal.remove_all()} demo clinics")
        if size == "large":
            return self._load_large(tokens)
        return {"size": size, **seeding.seed(lambda clinics: self.progress(clinics, what="demo clinics"))}

    def _foretold(self, size: str, *, is_reset: bool) -> dict[str, Any]:
        """Return what a run would remove and make now."""
        removed = removal.removable() if is_reset else 0
        if size == "large":
            is_loaded = bulk.is_loaded() and not is_reset
            made = {"200 clinics of the benchmarks": "is there" if is_loaded else "would be made"}
        else:
            made = seeding.outlook(is_reset=is_reset)
        return {"size": size, "dry_run": True, "removed": removed, "clinics": made}

    def _load_large(self, tokens: Path | None) -> dict[str, Any]:
        size, is_new = bulk.Size(), not bulk.is_loaded()
        if is_new:
            for _ in self.progress(bulk.load(size), total=size.steps, what="200 clinics"):
                pass
        admins = User.objects.filter(email__endswith=f"@{BULK_DOMAIN}").order_by("id")
        if tokens:
            lines = (f"{user.current_organization_id} {accounts.token_of(user)}\n" for user in admins)
            tokens.write_text("".join(lines))
        return {"size": "large", "loaded": is_new, "clinics": admins.count(), "tokens": str(tokens) if tokens else None}

    def lines(self, result: dict[str, Any]) -> Iterator[str]:
        """Print the table of logins and the booking pages."""
        if result.get("dry_run"):
            yield f"demo clinics that would be removed: {result['removed']}"
            yield from (f"{name}: {fate}" for name, fate in result["clinics"].items())
            return
        if result["size"] == "large":
            yield from super().lines(result)
            return
        yield from columns(result["logins"], ["role", "organization", "name", "email", "password"])
        yield ""
        yield from (each["booking_url"] for each in result["clinics"])
