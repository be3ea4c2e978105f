"""`manage.py migrate`: Django's, as the role that owns the tables, one at a time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import connections

#: Key of the advisory lock that lets one migration run at a time.
LOCK = 7_263_784_278


class Command(migrate.Command):
    """Migrates over the alias `owner`; a second `migrate` waits for the first."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        changes = not (options["plan"] or options["check_unapplied"])
        with ExitStack() as stack:
            if changes:
                cursor = stack.enter_context(connections[options["database"]].cursor())
                cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
                stack.callback(cursor.execute, "SELECT pg_advisory_unlock(%s)", [LOCK])
            super().handle(*args, **options)
