"""A strict reader of query strings and headers: UTF-8, no NUL, each parameter once, none that nobody knows.

A filter that is silently ignored shows other patients' data as if it were filtered.
Source: contract/conventions.md, "Envelope".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest

from restartix.kernel.api.parsing import readable, text_problem
from restartix.kernel.errors import Invalid, MalformedRequest

MAX_PARAMETERS = 100
MAX_BYTES = 16 * 1024
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


class Problems(dict[str, list[str]]):
    """What is wrong with the values of one request, by path; raise it once, when all have been looked at."""

    def add(self, path: str, message: str) -> None:
        """Note one problem."""
        self.setdefault(readable(path), []).append(message)

    def check(self) -> None:
        """Raise Invalid (422) if there are any."""
        if self:
            raise Invalid(self)


def parse_query(request: HttpRequest) -> dict[str, str]:
    """Return the query's parameters, name → value.

    Raises MalformedRequest (400) for a query of more than 16 KiB or 100 parameters, and Invalid (422) for a parameter
    that stands twice, is not UTF-8 or holds a NUL.
    """
    raw: str = request.META.get("QUERY_STRING", "")
    if not raw:
        return {}
    if len(raw) > MAX_BYTES or raw.count("&") >= MAX_PARAMETERS:
        raise MalformedRequest("The query string is too long.", details={"limit_parameters": MAX_PARAMETERS})
    problems, parameters = Problems(), dict[str, str]()
    for part in raw.split("&"):
        if not part:
            continue
        name, _, value = part.partition("=")
        _take(_text(name), _text(value), parameters, problems)
    problems.check()
    return parameters


def _text(encoded: str) -> str:
    """Decode `%xx` and `+`; what is not UTF-8 comes out as unpaired surrogates, which `_take` refuses."""
    return unquote_to_bytes(encoded.replace("+", " ").encode("latin-1", "replace")).decode("utf-8", "surrogateescape")


def _take(name: str, value: str, parameters: dict[str, str], problems: Problems) -> None:
    if problem := text_problem(name) or text_problem(value):
        problems.add(name or "query", problem.replace("unpaired surrogates are", "text that is not UTF-8 is"))
    elif name in parameters:
        problems.add(name, "stands twice: separate several values with commas")
    else:
        parameters[name] = value


def refuse_unknown(parameters: Mapping[str, str], known: Collection[str], problems: Problems) -> None:
    """Note every parameter that is not `known`, with the nearest name that is."""
    for name in parameters:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.6)
            problems.add(name, "unknown parameter")
            for match in near:
                problems.add(name, f"did you mean {match}?")


def integer(text: str) -> int | None:
    """Read a canonical decimal of at most 64 bits; None if it is not one."""
    if not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -(2**63) <= number <= 2**63 - 1 else None


def header(request: HttpRequest, name: str) -> str | None:
    """Return a header's value, None where it was not sent.

    Raises Invalid (422) if it holds anything but visible ASCII and spaces.
    """
    value: str | None = request.META.get("HTTP_" + name.upper().replace("-", "_"))
    if value is not None and not (value.isascii() and value.isprintable()):
        raise Invalid({name: ["visible ASCII characters are expected"]})
    return value
