"""What every management command of the project has in common: `--json`, exit codes, messages, progress.

One JSON document on standard output with `--json`, all messages on standard error; exit code 0 on success, 1 on a
refusal or failure with its reason, 2 on wrong usage. Source: contract/running.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError

from restartix.kernel.errors import Refusal

Item = TypeVar("Item")


class Command(BaseCommand):
    """Base of the project's commands: a subclass writes `perform` and returns what happened.

    The result is printed as JSON with `--json`, else as the lines that `lines` makes of it. Raise a `Refusal` (or
    CommandError) to end with exit code 1. `self.say` and `self.progress` write to standard error.
    """

    requires_system_checks: ClassVar[list[str]] = []  # type: ignore[misc]  # `doctor` and `check` look at everything
    #: Whether the command takes `--dry-run`: it then reports what it would change and changes nothing.
    can_dry_run = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add the options that all commands take."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
        if self.can_dry_run:
            parser.add_argument("--dry-run", action="store_true", help="say what would change and change nothing")
        return parser

    def perform(self, *args: Any, **options: Any) -> Any:
        """Do the work and return the result: something that JSON can hold."""
        raise NotImplementedError

    def lines(self, result: Any) -> Iterable[str]:
        """Yield the result for people: `key: value` lines unless a subclass knows better."""
        if isinstance(result, Mapping):
            yield from (f"{key}: {value}" for key, value in result.items())
        elif isinstance(result, list):
            yield from map(str, result)
        elif result is not None:
            yield str(result)

    def failed(self, result: Any) -> bool:
        """Say whether the result, although reported, means exit code 1."""
        return False

    def handle(self, *args: Any, **options: Any) -> None:
        """Run `perform` and print its result or the reason why there is none."""
        as_json = options.pop("json", False)
        try:
            result = self.perform(**options)
        except Refusal as refusal:
            reason = {"code": refusal.code, "message": refusal.message, "details": refusal.details}
            raise self._failure(reason, as_json=as_json) from refusal
        except CommandError as error:
            reason = {"code": "refused", "message": str(error), "details": {}}
            raise self._failure(reason, as_json=as_json) from error
        except DatabaseError as error:
            reason = {"code": "unavailable", "message": f"The database refuses: {error}".strip(), "details": {}}
            raise self._failure(reason, as_json=as_json) from error
        self._print(result, as_json=as_json)
        if self.failed(result):
            sys.exit(1)

    def say(self, message: str) -> None:
        """Tell the person at the terminal, on standard error."""
        self.stderr.write(message, style_func=str)

    def progress(self, items: Iterable[Item], *, total: int | None = None, what: str = "") -> Iterator[Item]:
        """Yield `items`, showing how far it is when standard error is a terminal."""
        if not sys.stderr.isatty():
            yield from items
            return
        from rich.console import Console
        from rich.progress import track

        yield from track(items, description=what, total=total, console=Console(stderr=True), transient=True)

    def _print(self, result: Any, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result, cls=DjangoJSONEncoder, ensure_ascii=False))
        else:
            for line in self.lines(result):
                self.stdout.write(line)

    def _failure(self, reason: Mapping[str, Any], *, as_json: bool) -> CommandError:
        if as_json:
            self.stdout.write(json.dumps({"error": reason}, cls=DjangoJSONEncoder, ensure_ascii=False))
        details = "".join(f"\n  {key}: {value}" for key, value in reason["details"].items())
        return CommandError(f"{reason['message']}{details}")
