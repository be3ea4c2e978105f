"""The machinery behind `environment.py`: declaring, reading and describing environment variables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import environ
from django.core.exceptions import ImproperlyConfigured

ON = frozenset({"1", "true", "yes", "on"})
OFF = frozenset({"0", "false", "no", "off", ""})
PERIODS = MappingProxyType({"s": 1, "m": 60, "h": 3600, "d": 86400})


class Rate(NamedTuple):
    """So many requests in so many seconds; written `1000/m`, with s, m, h or d, or with a number as in `50/5s`."""

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `N/m`. Raises ValueError if it is anything else or if N is 0."""
        match = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})?([smhd])", text.strip())
        if match is None:
            raise ValueError("is not a rate such as 100/m")
        count, times, period = match.groups()
        return cls(int(count), int(times or 1) * PERIODS[period])

    def __str__(self) -> str:
        """Write it as it is read."""
        for letter, seconds in reversed(list(PERIODS.items())):
            if self.seconds % seconds == 0:
                times = self.seconds // seconds
                return f"{self.limit}/{'' if times == 1 else times}{letter}"
        raise ValueError("a rate has a whole number of seconds")


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable, declared beside the attribute that holds its value.

    `default` is written as it would be in the environment; `derived` says in words where the value comes from when
    the default depends on other variables. A `secret` is never printed.
    """

    name: str
    meaning: str
    default: str = ""
    derived: str = ""
    unit: str = ""
    secret: bool = False
    #: Title of the part of the documentation that begins here.
    section: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable together with the attribute it fills and its section of the documentation."""

    attribute: str
    variable: Variable
    kind: Any
    section: str


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in ON | OFF:
        raise ValueError("is neither on nor off")
    return lowered in ON


def _integer(text: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,15}", text.strip()) is None:
        raise ValueError("is not a whole number")
    return int(text)


def _number(text: str) -> float:
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text.strip()) is None:
        raise ValueError("is not a number of 0 or more")
    return float(text)


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _rates(text: str) -> Mapping[str, Rate]:
    try:
        raw = json.loads(text or "{}")
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise ValueError('is not a JSON object such as {"hold": "20/m"}')
    return MappingProxyType({key: Rate.parse(value) for key, value in raw.items()})


PARSERS: Mapping[Any, Callable[[str], Any]] = {
    bool: _boolean,
    int: _integer,
    float: _number,
    str: lambda text: text,
    Path: Path,
    Rate: Rate.parse,
    tuple: _items,
    Mapping: _rates,
}

TYPE_NAMES: Mapping[Any, str] = {
    bool: "on or off",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    Rate: "rate",
    tuple: "list, separated by commas",
    Mapping: "JSON object of rates",
}


def declared(kind: type) -> Iterator[Declared]:
    """Yield every variable of the dataclass `kind` in the order of its declaration."""
    hints = get_type_hints(kind, include_extras=True)
    section = ""
    for field in _fields(kind):
        base, *notes = get_args(hints[field.name]) or (hints[field.name],)
        variables = [note for note in notes if isinstance(note, Variable)]
        if variables:
            section = variables[0].section or section
            yield Declared(field.name, variables[0], get_origin(base) or base, section)


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


def values_of(kind: type, source: Mapping[str, str]) -> dict[str, Any]:
    """Return the value of every variable of `kind`, read from `source` or from its default.

    `NAME_FILE` names a file that holds the value, as container platforms mount secrets.
    Raises ImproperlyConfigured that names every value which cannot be read, never showing a secret.
    """
    names = environ.FileAwareMapping(dict(source), cache=False)
    values: dict[str, Any] = {}
    problems: list[str] = []
    for entry in declared(kind):
        variable = entry.variable
        try:
            text = str(names.get(variable.name, variable.default)).strip()
            values[entry.attribute] = PARSERS[entry.kind](text or variable.default)
        except (ValueError, OSError) as error:
            shown = "its value" if variable.secret else repr(source.get(variable.name, ""))
            problems.append(f"{variable.name}: {shown} {error}")
    if problems:
        raise ImproperlyConfigured("The environment cannot be read:\n  " + "\n  ".join(problems))
    return values


def unknown_names(kind: type, source: Mapping[str, str], *, prefix: str = "RESTARTIX_") -> list[str]:
    """Return the names in `source` that begin with `prefix` and that nothing declares, sorted."""
    known = {entry.variable.name for entry in declared(kind)}
    known |= {name + "_FILE" for name in known}
    return sorted(name for name in source if name.startswith(prefix) and name not in known)
