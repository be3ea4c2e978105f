"""Erase one person at every clinic."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from apps.profiles.management import subjects
from apps.profiles.management.erasing import ErasingCommand
from apps.profiles.services import erasure
from restartix.kernel.tenancy import Actor

ACTOR = Actor.system("erase_person")


class Command(ErasingCommand):
    help = (
        "Take a person's name and contact data away at every clinic, block the login, clear the audit trail of them. "
        "Clinical rows and consents stay under a pseudonym. Refused while an appointment is active. Prints a protocol."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", metavar="E", required=True, help="of the login, or on file")
        parser.add_argument("--reason", metavar="R", required=True, help="kept in the audit trail: name nobody in it")

    def perform(self, *, email: str, reason: str, dry_run: bool, **options: Any) -> dict[str, Any]:
        return self.protocol(
            lambda: erasure.erase_by_email(email, by=ACTOR, reason=reason, trace=subjects.TRACE),
            reason=reason,
            dry_run=dry_run,
        )
