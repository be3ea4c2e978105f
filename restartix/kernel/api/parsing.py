"""A strict reader of bodies: what is ambiguous, oversized or unstorable is refused before anybody looks at it.

JSON by RFC 8259, plus: no duplicate keys, no NaN or Infinity, at most 64 levels, no NUL, no unpaired surrogates, no
numbers beyond 64 bits. The first three make a body malformed (400), the last three a value invalid (422).
Source: contract/conventions.md, "Errors".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.http.request import RawPostDataException

from restartix.kernel.errors import Invalid, MalformedRequest, PayloadTooLarge, UnsupportedMediaType

MIB = 1024 * 1024
MAX_DEPTH = 64
SMALLEST_INTEGER, BIGGEST_INTEGER = -(2**63), 2**63 - 1
_LONGEST_INTEGER = 20
_CHUNK_BYTES = 64 * 1024

#: Escapes that can make a NUL or a surrogate: without one of them in the bytes no text needs to be looked at.
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTENT_LENGTH = re.compile(r"[0-9]{1,15}")


class _Beyond:
    """Stands for a number that does not fit 64 bits until its path is known."""


BEYOND = _Beyond()


def read_bytes(request: HttpRequest, *, limit: int = MIB) -> bytes:
    """Return the body's bytes, at most `limit` of them.

    Raises MalformedRequest (400) if Content-Length is not a number or the connection breaks off early, and
    PayloadTooLarge (413) as soon as the limit is passed, by the header or while reading.
    """
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced and not _CONTENT_LENGTH.fullmatch(announced):
        raise MalformedRequest("Content-Length is not a number.")
    if int(announced or 0) > limit:
        raise too_large(limit)
    try:
        body = b"".join(_chunks(request, limit))
    except (OSError, RawPostDataException) as error:
        raise MalformedRequest("The body ended before it was complete.") from error
    if announced and len(body) < int(announced):
        raise MalformedRequest("The body ended before it was complete.")
    return body


def _chunks(request: HttpRequest, limit: int) -> Iterator[bytes]:
    size = 0
    while chunk := request.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > limit:
            raise too_large(limit)
        yield chunk


def too_large(limit: int) -> PayloadTooLarge:
    """Return the refusal of a body over `limit` bytes."""
    return PayloadTooLarge(details={"max_bytes": limit})


def check_media_type(request: HttpRequest, *accepted: str) -> str:
    """Return the body's media type.

    Raises UnsupportedMediaType (415) for a type that is not in `accepted`, a charset other than UTF-8, or any encoding.
    """
    if request.META.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaType("Content-Encoding is not accepted: send the body as it is.")
    media_type = (request.content_type or "").lower()
    if media_type not in accepted:
        raise UnsupportedMediaType(details={"accepted": list(accepted)})
    charset = (request.content_params or {}).get("charset", "utf-8").strip("\"' ").lower()
    if charset not in {"utf-8", "utf8"}:
        raise UnsupportedMediaType("The charset must be utf-8.", details={"accepted": list(accepted)})
    return media_type


def parse_json(body: bytes) -> Any:
    """Read one JSON document.

    Raises MalformedRequest (400) if it is not one, and Invalid (422), naming the path, for a value that cannot be kept.
    """
    reader = _Reader()
    try:
        value = reader.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise MalformedRequest("The body is not UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise MalformedRequest(_reason(error)) from error
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise MalformedRequest(f"The body is nested more than {MAX_DEPTH} levels deep.")
    if reader.beyond or _SUSPICIOUS.search(body):
        _check(value)
    return value


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return f"The body is nested more than {MAX_DEPTH} levels deep."
    if isinstance(error, json.JSONDecodeError):
        return f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
    return f"The body is not JSON: {error}."


class _Reader:
    """One reading of one document."""

    def __init__(self) -> None:
        self.beyond = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=_unique,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=_constant,
        )

    def decode(self, text: str) -> Any:
        if text.startswith("\ufeff"):
            raise ValueError("it begins with a byte order mark")
        return self._decoder.decode(text)

    def _integer(self, digits: str) -> Any:
        if len(digits) <= _LONGEST_INTEGER and SMALLEST_INTEGER <= (number := int(digits)) <= BIGGEST_INTEGER:
            return number
        self.beyond = True
        return BEYOND

    def _float(self, digits: str) -> Any:
        number = float(digits)
        if math.isfinite(number):
            return number
        self.beyond = True
        return BEYOND


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {json.dumps(twice)[:100]} stands twice in one object")
    return document


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _depth(value: Any) -> int:
    """Return how many arrays and objects lie inside one another, level by level, so that no depth is too deep."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return depth


def _check(value: Any) -> None:
    """Raise Invalid (422) naming every value that cannot be stored."""
    problems = {readable(path): messages for path, messages in _problems(value, "")}
    if problems:
        raise Invalid(problems)


def _problems(value: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(value, str):
        if problem := text_problem(value):
            yield path or "body", [problem]
    elif value is BEYOND:
        yield path or "body", ["a number of at most 64 bits is expected"]
    elif isinstance(value, dict):
        yield from _problems_of_object(value, path)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _problems(child, f"{path}[{index}]")


def _problems_of_object(value: dict[str, Any], path: str) -> Iterator[tuple[str, list[str]]]:
    for key, child in value.items():
        inner = f"{path}.{key}" if path else key
        if problem := text_problem(key):
            yield inner, [f"name of the field: {problem}"]
        yield from _problems(child, inner)


def readable(path: str) -> str:
    """Return text that an answer may quote: without NUL and unpaired surrogates."""
    return _SURROGATE.sub("\ufffd", path.replace("\x00", "\ufffd"))


def text_problem(text: str) -> str:
    """Return what makes `text` impossible to store, or an empty string."""
    if "\x00" in text:
        return "the character NUL is not accepted"
    if not text.isascii() and _SURROGATE.search(text):
        return "unpaired surrogates are not accepted"
    return ""
