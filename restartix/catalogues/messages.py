"""Everything that pages say: found in Python and templates, in names of models, in refusals, and missing in Django."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.utils.translation.template import templatize

from restartix.catalogues.files import Key, read_po
from restartix.environment import ROOT

#: Function → which of its arguments are (context, message, plural).
CALLS: dict[str, tuple[int | None, int, int | None]] = {
    "_": (None, 0, None),
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
SOURCES = ("apps", "restartix", "templates")
#: Parts of Django whose own Romanian has gaps that our pages would show.
DJANGO_PARTS = ("conf", "contrib/admin", "contrib/auth", "contrib/postgres")


@dataclass(frozen=True, order=True)
class Message:
    """One thing to be said, as the catalogue knows it."""

    context: str
    text: str
    plural: str = ""


def collected() -> dict[Message, set[str]]:
    """Return every message with the places that say it."""
    found: dict[Message, set[str]] = {}
    for message, place in _everything():
        found.setdefault(message, set()).add(place)
    return found


def _everything() -> Iterator[tuple[Message, str]]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            place = path.relative_to(ROOT).as_posix()
            for message in _in_file(path):
                yield message, place
    for message in (*_names(), *_refusals()):
        yield message, "models and refusals"
    for message in django_gaps():
        yield message, "django"


def _in_file(path: Path) -> Iterable[Message]:
    if path.suffix == ".py" and not {"migrations", "api", "commands", "demo"} & set(path.parts):
        source = path.read_text()
        return (*in_python(source), *(in_service(source) if "services" in path.parts else ()))
    if path.suffix in {".html", ".txt"} and "templates" in path.parts:
        return in_template(path.read_text())
    return ()


def in_python(source: str) -> Iterator[Message]:
    """Yield the messages of calls whose arguments are literal."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            message = _called(name, [_literal(argument) for argument in node.args])
            if message is not None:
                yield message


def in_service(source: str) -> Iterator[Message]:
    """Yield what refusals say instead of their docstring, and of single values."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from _refused(node.exc)


def _refused(call: ast.Call) -> Iterator[Message]:
    """Yield the message of `raise Conflict("...")`, and those of `raise Invalid({"field": ["..."]})`."""
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str) and " " in first.value:
        yield Message("", first.value)
    if isinstance(first, ast.Dict):
        lists = [value for value in first.values if isinstance(value, ast.List)]
        yield from (Message("", text) for each in lists for text in map(_literal, each.elts) if text)


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _called(name: str, arguments: list[str | None]) -> Message | None:
    """Return what a call says, None if it says nothing literal or is another function's."""
    if name not in CALLS:
        return None
    parts = [arguments[index] if index is not None and index < len(arguments) else "" for index in CALLS[name]]
    context, text, plural = parts
    return Message(context or "", text, plural or "") if text and context is not None and plural is not None else None


_TEMPLATE_CALL = re.compile(r"\b(gettext|ngettext|pgettext|npgettext|_)\(")
_TEMPLATE_STRING = re.compile(r"\s*,?\s*u?(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.DOTALL)


def in_template(source: str) -> Iterator[Message]:
    """Yield the messages of a template's tags."""
    code = templatize(source)
    for call in _TEMPLATE_CALL.finditer(code):
        arguments: list[str | None] = []
        position = call.end()
        while matched := _TEMPLATE_STRING.match(code, position):
            arguments.append(ast.literal_eval(matched[1].replace("\n", "\\n")))
            position = matched.end()
        message = _called(call[1], arguments)
        if message is not None:
            yield message


def _names() -> Iterator[Message]:
    """Yield the names of apps, models, fields and choices that the back office shows, in the context of all models."""
    from django.contrib import admin

    from restartix.kernel.admin import names

    pages = admin.site._registry.values()  # noqa: SLF001 (Django offers no other list)
    shown = {page.model for page in pages} | {inline.model for page in pages for inline in page.inlines}
    shown |= {model for page in pages for model in getattr(page, "also_shows", ())}
    for context, text in names.names(sorted(shown, key=lambda model: model.__name__)):
        yield Message(context, text)


def _refusals() -> Iterator[Message]:
    """Yield what the apps' refusals say, and what they say of single values."""
    from restartix.kernel.errors import Refusal

    for refusal in _subclasses(Refusal):
        # what only commands refuse no page says, and whether it is imported at all depends on chance
        if refusal.__module__.startswith("apps.") and ".management." not in refusal.__module__:
            yield Message("", refusal.default_message())


def _subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from _subclasses(each)


def django_messages() -> set[Key]:
    """Return everything that Django says itself: our catalogues may say it better."""
    folders = [Path(django.__file__).parent / part / "locale" for part in DJANGO_PARTS]
    return {key for folder in folders for key in read_po(folder / "en" / "LC_MESSAGES" / "django.po")}


def django_gaps() -> Iterator[Message]:
    """Yield what Django says itself and does not translate to Romanian."""
    base = Path(django.__file__).parent
    for part in DJANGO_PARTS:
        folder = base / part / "locale"
        said = read_po(folder / "ro" / "LC_MESSAGES" / "django.po")
        for key in read_po(folder / "en" / "LC_MESSAGES" / "django.po"):
            if key.text and not all(said.get(key, [""])):
                yield Message(key.context, key.text, key.plural)
