"""Load the demo clinics, or the benchmark's data set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.scheduling.management.demo import removal, seeding
from restartix.kernel.commands import Command as BaseCommand
from restartix.launch.steps import columns


class Command(BaseCommand):
    help = (
        "Load the demo clinics with staff, patients, hours and a believable week around today. Repeating it on the "
        "same day adds nothing; on a later day it brings the week up to date."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=["small", "large"], default="small", help="large: what benchmarks need")
        parser.add_argument(
            "--reset", action="store_true", help="remove every demo clinic with all its rows first, then make them anew"
        )
        parser.add_argument(
            "--with-debug-off",
            action="store_true",
            help="load into an installation with DEBUG off: everybody knows the passwords of the demo",
        )

    def perform(self, *, size: str, reset: bool, with_debug_off: bool, **options: object) -> dict[str, Any]:
        if not settings.DEBUG and not with_debug_off:
            raise CommandError(
                "DEBUG is off, and everybody knows the passwords of the demo. If this is meant: --with-debug-off."
            )
        if reset:
            self.say(f"removed {removal.remove_all()} demo clinics")
        return seeding.seed(lambda clinics: self.progress(clinics, what="demo clinics"))

    def lines(self, result: dict[str, Any]) -> Iterator[str]:
        """Print the table of logins and the booking pages."""
        yield from columns(result["logins"], ["role", "organization", "name", "email", "password"])
        yield ""
        yield from (each["booking_url"] for each in result["clinics"])
