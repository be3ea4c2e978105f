"""`manage.py up`: listed here for `help`; it runs before Django is loaded, see restartix/launch/up.py."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from restartix.launch import up


class Command(BaseCommand):
    help = up.DESCRIPTION
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        up.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Start it from a terminal: python3 manage.py up")
