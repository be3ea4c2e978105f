"""`manage.py run_periodic NAME`: any periodic task, at once, in the foreground."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.periodic import periodic_tasks


class Command(BaseCommand):
    help = "Run a periodic task at once, in the foreground; --list names them with their schedule."

    def add_arguments(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("name", nargs="?", help="the task")
        wanted.add_argument("--list", action="store_true", help="name the tasks with their schedule")

    def perform(self, *, name: str | None, list: bool, **options: Any) -> Any:  # noqa: A002 - the option's name
        tasks = periodic_tasks()
        if list or name is None:
            return [{"name": task.name, "schedule": task.schedule, "meaning": task.meaning} for task in tasks.values()]
        if name not in tasks:
            raise CommandError(f"There is no periodic task {name!r}. There are: {', '.join(tasks) or 'none yet'}.")
        began = time.monotonic()
        result = tasks[name].work()
        return {"name": name, "seconds": round(time.monotonic() - began, 3), "result": result}

    def lines(self, result: Any) -> Iterable[str]:
        if isinstance(result, list):
            yield from (f"{row['name']:28} {row['schedule']:22} {row['meaning']}" for row in result)
        else:
            yield f"{result['name']}: {result['result']} ({result['seconds']} s)"
