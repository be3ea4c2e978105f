"""`manage.py lifecycles`: writes the page of every status and every move from their declarations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.apps import apps
from django.core.management.base import CommandError, CommandParser
from django.utils.module_loading import import_string, module_has_submodule

from restartix.environment import ROOT
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.lifecycle import Lifecycle

PAGE = ROOT / "docs" / "explain" / "lifecycles.md"

_INTRODUCTION = """# Every status and every move

Written by `manage.py lifecycles` from the `lifecycles.py` of each app; do not edit by hand. A move that is not here is
refused with 409 `invalid_transition`.
"""


class Declared(NamedTuple):
    """A lifecycle with the name that it has in its app's `lifecycles.py`."""

    app_label: str
    name: str
    lifecycle: Lifecycle

    @property
    def title(self) -> str:
        """The name in words: `Status operation`."""
        return self.name.replace("_", " ").capitalize()


class Command(BaseCommand):
    help = "Write docs/explain/lifecycles.md; --check fails if it is not current."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing, fail if something would change")

    def perform(self, *, check: bool, **options: Any) -> dict[str, list[str]]:
        wanted = "\n".join(page()) + "\n"
        if PAGE.exists() and PAGE.read_text() == wanted:
            return {"written": []}
        shown = str(PAGE.relative_to(ROOT))
        if check:
            raise CommandError(f"Not current: {shown}. Run `manage.py lifecycles`.")
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(wanted)
        return {"written": [shown]}


def declared() -> Iterator[Declared]:
    """Yield every lifecycle of the installed apps, in the order in which they are declared."""
    for config in apps.get_app_configs():
        if config.name.startswith("apps.") and module_has_submodule(config.module, "lifecycles"):
            module = import_string(f"{config.name}.lifecycles")
            for name, value in vars(module).items():
                if isinstance(value, Lifecycle):
                    yield Declared(config.label, name, value)


def page() -> Iterator[str]:
    """Yield the lines of the page: for each set of states all moves, then those of single operations."""
    yield _INTRODUCTION
    shown: set[type] = set()
    for each in declared():
        states = each.lifecycle.states
        if states in shown:
            yield from _operation(each)
        else:
            shown.add(states)
            yield from _whole(each)


def _whole(each: Declared) -> Iterator[str]:
    moves = each.lifecycle.moves()
    yield f"## {each.title} ({each.app_label})\n\n{each.lifecycle.states.__doc__}\n\n```mermaid\nstateDiagram-v2"
    yield from (f"    {state} --> {to}" for state, to in moves)
    final = [state for state in each.lifecycle.states.values if not each.lifecycle.allowed(state)]
    yield from (f"    {state} --> [*]" for state in final)
    yield "```\n"
    yield from _table(each)


def _operation(each: Declared) -> Iterator[str]:
    yield f"### {each.title}\n\nOf these moves, the ones that this operation makes:\n"
    yield from _table(each)


def _table(each: Declared) -> Iterator[str]:
    yield "| from | to |\n| --- | --- |"
    for state in each.lifecycle.states.values:
        allowed = ", ".join(f"`{to}`" for to in each.lifecycle.allowed(state))
        yield f"| `{state}` | {allowed or 'nothing'} |"
    yield ""
