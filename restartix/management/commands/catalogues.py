"""`manage.py catalogues`: bring the Romanian and English catalogues up to date and compile them."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from restartix.catalogues import upkeep


class Command(BaseCommand):
    requires_system_checks = ()
    help = "Bring locale/*/django.po up to date with the code and compile them; with --check only say what is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing, fail if anything is missing")

    def handle(self, *args: Any, check: bool = False, **options: Any) -> None:
        if not check:
            upkeep.refresh()
        found = upkeep.problems()
        for problem in found:
            self.stdout.write(problem)
        if found:
            raise CommandError(f"{len(found)} messages need attention.")
        self.stdout.write("Both catalogues are complete.")
