"""`manage.py environment_docs`: writes `.env.example` and the page of variables from their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from django.core.management.base import CommandError, CommandParser

from restartix.environment import ROOT, Environment
from restartix.kernel.commands import Command as BaseCommand
from restartix.variables import TYPE_NAMES, Declared, declared

EXAMPLE = ROOT / ".env.example"
PAGE = ROOT / "docs" / "operate" / "environment.md"

_INTRODUCTION = """# Environment variables

Written by `manage.py environment_docs` from `restartix/environment.py`; do not edit by hand.

Every variable may also be given as `NAME_FILE`, the path of a file that holds the value. A file `.env` beside
`manage.py` is read at start; the process's own environment wins. Names beginning with `RESTARTIX_` that are not listed
here are reported by `manage.py check` and at the start of `manage.py up`. `python -m restartix.development` prints
fresh secrets; `manage.py check --deploy` names what a public server still lacks.
"""


class Command(BaseCommand):
    help = "Write .env.example and docs/operate/environment.md; --check fails if they are not current."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing, fail if something would change")

    def perform(self, *, check: bool, **options: Any) -> dict[str, list[str]]:
        wanted = {EXAMPLE: "\n".join(example()) + "\n", PAGE: "\n".join(page()) + "\n"}
        stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
        if check and stale:
            names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
            raise CommandError(f"Not current: {names}. Run `manage.py environment_docs`.")
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
        return {"written": [str(path.relative_to(ROOT)) for path in stale]}


def _sections() -> Iterator[tuple[str, list[Declared]]]:
    for section, entries in groupby(declared(Environment), key=lambda entry: entry.section):
        yield section, list(entries)


def example() -> Iterator[str]:
    """Yield the lines of `.env.example`: every variable, commented out, with its default."""
    yield "# Copy to .env and set what differs; docs/operate/environment.md explains more."
    yield "# Written by `manage.py environment_docs`."
    for section, entries in _sections():
        yield f"\n# {section}"
        for entry in entries:
            variable = entry.variable
            note = f" [{variable.unit}]" if variable.unit else ""
            shown = "" if variable.derived else variable.default
            yield f"# {variable.meaning}{note}" + (f"; default: {variable.derived}" if variable.derived else "")
            yield f"#{variable.name}={shown}"


def page() -> Iterator[str]:
    """Yield the lines of the documentation page: one table a section."""
    yield _INTRODUCTION
    for section, entries in _sections():
        yield f"## {section}\n\n| name | type | default | meaning |\n| --- | --- | --- | --- |"
        for entry in entries:
            variable = entry.variable
            kind = TYPE_NAMES[entry.kind] + (f", {variable.unit}" if variable.unit else "")
            default = variable.derived or (f"`{variable.default}`" if variable.default else "none")
            secret = " **Secret.**" if variable.secret else ""
            cells = (f"`{variable.name}`", kind, default, variable.meaning + secret)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        yield ""
