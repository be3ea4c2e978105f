"""The hash chain over audit rows: canonical JSON (RFC 8785), the digest of changes, the hash of a row.

Source: contract/telemetry.md 1.2, which has the vectors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any

import orjson

#: What the hash of a row is taken over, in canonical order.
KEYS = (
    "action", "actor", "actor_role", "at", "changes_digest", "claimed_at", "entity_id", "entity_type",
    "impersonation_id", "ip", "method", "on_behalf_of", "organization_id", "path", "patient_id", "prev_hash",
    "request_id", "seq", "service", "source", "status_code", "uid", "user_agent",
)  # fmt: skip
_KEY_SET = frozenset(KEYS)
#: `prev_hash` of the first row of a chain.
ZEROS = "0" * 64
SALT_BYTES = 16

#: Integers beyond it are written as the double that any other reader would take them for (RFC 8785, 3.2.2.3).
_EXACT = 2**53 - 1
_FAST = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
#: Lead bytes of the characters from U+E000 on, whose order as UTF-8, which orjson sorts by, is not that as UTF-16.
_ORDERED_OTHERWISE = bytes(range(0xEE, 0xF5))


def canonical_json(value: Any) -> bytes:
    """Return the RFC 8785 form of strings, numbers, booleans, None, lists and string-keyed mappings of these.

    Raises ValueError for numbers that JSON cannot hold and for lone surrogates, TypeError for anything else.
    """
    return _written(value).encode()


def canonicalized(text: str) -> bytes:
    """Return the RFC 8785 form of a JSON document that stands in `text`.

    Raises ValueError if it holds a number beyond a double or is nested too deeply to be read.
    """
    value = orjson.loads(text)
    try:
        fast = orjson.dumps(value, option=_FAST)
    except TypeError:
        return canonical_json(value)
    return canonical_json(value) if _may_differ(value, fast) else fast


def changes_digest(salt: bytes, changes: str) -> str:
    """Return the hex SHA-256 of `salt` and the canonical form of the JSON document `changes`.

    A document that RFC 8785 cannot express counts as the string that it is, so that no row can stop the sealing.
    """
    try:
        document = canonicalized(changes)
    except (ValueError, RecursionError):
        document = canonical_json(changes)
    return sha256(salt + document).hexdigest()


def row_hash(fields: Mapping[str, Any]) -> str:
    """Return the hex SHA-256 of the canonical form of `fields`. Raises ValueError unless they are exactly `KEYS`."""
    if fields.keys() != _KEY_SET:
        raise ValueError(f"not the fields of the chain: {sorted(fields.keys() ^ _KEY_SET)}")
    try:
        document = orjson.dumps(fields, option=_FAST)
    except TypeError:
        document = canonical_json(fields)
    return sha256(document).hexdigest()


def _may_differ(value: Any, fast: bytes) -> bool:
    """Say whether orjson may have written `fast` otherwise than RFC 8785 does: numbers, or the order of keys."""
    if not fast.isascii() and len(fast.translate(None, _ORDERED_OTHERWISE)) < len(fast):
        return True
    may_have_float = b"." in fast or b"e+" in fast or b"e-" in fast  # cheaper than to look at every value
    return may_have_float and _holds_float([value])


def _holds_float(values: Iterable[Any]) -> bool:
    for value in values:
        kind = type(value)
        if kind is float or (kind is dict and _holds_float(value.values())) or (kind is list and _holds_float(value)):
            return True
    return False


def _written(value: Any) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value) if -_EXACT <= value <= _EXACT else _number(_double(value))
        case float():
            return _number(value)
        case Mapping():
            members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
            return "{" + ",".join(f"{_written(key)}:{_written(item)}" for key, item in members) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_written, value)) + "]"
        case _:
            raise TypeError(f"JSON has no {type(value).__name__}")


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("JSON has no number that large") from error


def _number(value: float) -> str:
    """Return a number as ECMAScript writes it: the shortest digits, an exponent below 1e-6 and from 1e21 on."""
    if not math.isfinite(value):
        raise ValueError("JSON has neither infinity nor NaN")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    shown, point = "".join(map(str, digits)), len(digits) + int(exponent)
    if len(shown) <= point <= 21:
        body = shown + "0" * (point - len(shown))
    elif 0 < point <= 21:
        body = f"{shown[:point]}.{shown[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + shown
    else:
        fraction = f".{shown[1:]}" if shown[1:] else ""
        body = f"{shown[0]}{fraction}e{point - 1:+d}"
    return f"-{body}" if sign else body
