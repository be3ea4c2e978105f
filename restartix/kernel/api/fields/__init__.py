"""Strict fields: each takes exactly what the contract writes, and says in one line what it expected.

A number is not a text, a text is not a number, `true` is not 1. Texts are trimmed; limits count code points.
Source: contract/conventions.md, "Paths, methods, bodies"; organizations.md, section 0.
"""

from restartix.kernel.api.fields.base import MESSAGES, StrictField
from restartix.kernel.api.fields.containers import File, ListOf, Object
from restartix.kernel.api.fields.derived import Computed, Part
from restartix.kernel.api.fields.moments import Date, Instant, TimeOfDay, instant
from restartix.kernel.api.fields.texts import (
    Colour,
    Country,
    Currency,
    Email,
    Locale,
    Pattern,
    Phone,
    Slug,
    Text,
    TimeZone,
    Url,
)
from restartix.kernel.api.fields.values import Boolean, Choice, Id, Integer, Money, Uuid

__all__ = [
    "MESSAGES", "Boolean", "Choice", "Colour", "Computed", "Country", "Currency", "Date", "Email", "File", "Id",
    "Instant", "Integer", "ListOf", "Locale", "Money", "Object", "Part", "Pattern", "Phone", "Slug", "StrictField",
    "Text", "TimeOfDay", "TimeZone", "Url", "Uuid", "instant",
]  # fmt: skip
