"""Strict fields: each takes exactly what the contract writes, and says in one line what it expected.

A number is not a text, a text is not a number, `true` is not 1. Texts are trimmed; limits count code points.
Source: contract/conventions.md, "Paths, methods, bodies"; organizations.md, section 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import EmailValidator
from django.db.models import Choices
from rest_framework import serializers
from rest_framework.fields import empty

from restartix.kernel import phones
from restartix.kernel.api import standards
from restartix.kernel.api.parsing import BIGGEST_INTEGER, SMALLEST_INTEGER

REQUIRED = "required"
NOT_NULL = "null is not accepted"
NOT_EMPTY = "must not be empty"
FIRST_YEAR, LAST_YEAR = 1900, 2200

MESSAGES = {"required": REQUIRED, "null": NOT_NULL}


def _code_points(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")


class StrictField(serializers.Field):
    """A field whose reading is one method, `read`, which fails with a sentence."""

    default_error_messages = MESSAGES

    def read(self, data: Any) -> Any:
        """Return the value of `data`, or call `refuse`."""
        raise NotImplementedError

    def to_internal_value(self, data: Any) -> Any:
        """Read what was sent."""
        return self.read(data)

    def to_representation(self, value: Any) -> Any:
        """Write the value as JSON does."""
        return value

    def refuse(self, expected: str) -> Any:
        """Raise the refusal of this value."""
        raise serializers.ValidationError(expected, code="invalid")


class Text(StrictField):
    """Text, trimmed. Empty is refused where it is required and null where the field may be null."""

    def __init__(self, *, max_length: int, min_length: int = 1, trim: bool = True, **kwargs: Any) -> None:
        """Bound the length, both ends included, in code points after trimming."""
        self.max_length, self.min_length, self.trim = max_length, min_length, trim
        super().__init__(**kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        """Take an empty text for null where the field may be null."""
        if isinstance(data, str) and not data.strip() and self.allow_null:
            data = None
        return super().run_validation(data)

    def read(self, data: Any) -> Any:
        """Return the trimmed text."""
        if not isinstance(data, str):
            return self.refuse("a text is expected")
        text = data.strip() if self.trim else data
        if not text and self.min_length:
            self.refuse(NOT_EMPTY)
        if len(text) < self.min_length:
            self.refuse(f"at least {_code_points(self.min_length)} expected")
        if len(text) > self.max_length:
            self.refuse(f"at most {_code_points(self.max_length)} expected")
        return self.check(text)

    def check(self, text: str) -> Any:
        """Judge the trimmed text further; subclasses say how."""
        return text


class Pattern(Text):
    """Text of a fixed form."""

    def __init__(self, pattern: str, *, expected: str, max_length: int = 255, **kwargs: Any) -> None:
        """Take what `pattern` matches whole; `expected` is the sentence for everything else."""
        self.pattern, self.expected = re.compile(pattern, re.ASCII), expected
        super().__init__(max_length=max_length, **kwargs)

    def check(self, text: str) -> Any:
        """Match."""
        return text if self.pattern.fullmatch(text) else self.refuse(self.expected)


class Slug(Pattern):
    """A name for addresses."""

    def __init__(self, pattern: str = r"[a-z0-9-]{2,80}", **kwargs: Any) -> None:
        """Take 2 to 80 lower-case letters, digits and hyphens unless `pattern` says otherwise."""
        kwargs.setdefault("expected", "lower-case letters, digits and hyphens are expected")
        super().__init__(pattern, **kwargs)


class Colour(Pattern):
    """`#RRGGBB`, kept in upper case."""

    def __init__(self, **kwargs: Any) -> None:
        """Take six hexadecimal digits after `#`."""
        super().__init__(r"#[0-9A-Fa-f]{6}", expected="a colour like #0A7B83 is expected", **kwargs)

    def check(self, text: str) -> Any:
        """Match, in upper case."""
        matched: str = super().check(text)
        return matched.upper()


class Email(Text):
    """An e-mail address of at most 254 characters, its domain in lower case."""

    _valid = EmailValidator()

    def __init__(self, **kwargs: Any) -> None:
        """Bound the length by RFC 5321."""
        super().__init__(max_length=254, **kwargs)

    def check(self, text: str) -> Any:
        """Judge by Django's rule."""
        try:
            self._valid(text)
        except ValidationError:
            return self.refuse("an e-mail address is expected")
        local, _, domain = text.rpartition("@")
        return f"{local}@{domain.lower()}"


class Phone(Text):
    """A telephone number, kept as E.164."""

    def __init__(self, **kwargs: Any) -> None:
        """Bound what is read; E.164 itself has at most 15 digits."""
        super().__init__(max_length=32, **kwargs)

    def check(self, text: str) -> Any:
        """Read by the rules of `restartix.kernel.phones`, and drop the separators."""
        try:
            return phones.normalised(text)
        except ValueError as error:
            return self.refuse(str(error))


class Url(Text):
    """An absolute http or https address."""

    def __init__(self, *, schemes: Iterable[str] = ("https", "http"), max_length: int = 2048, **kwargs: Any) -> None:
        """Take the given schemes only."""
        self.schemes = tuple(schemes)
        super().__init__(max_length=max_length, **kwargs)

    def check(self, text: str) -> Any:
        """Judge scheme, host and port."""
        try:
            parts = urlsplit(text)
            good = parts.scheme in self.schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good or re.search(r"[\s\x00-\x20\x7f]", text):
            self.refuse(
                f"an address beginning with {' or '.join(f'{scheme}://' for scheme in self.schemes)} is expected"
            )
        return text


class Choice(StrictField):
    """One of a fixed set of words."""

    def __init__(self, choices: type[Choices] | Iterable[str], **kwargs: Any) -> None:
        """Take a Django choices class, or words."""
        self.choices_class = choices if isinstance(choices, type) else None
        values = choices.values if isinstance(choices, type) else choices
        self.choices: dict[str, str] = {str(value): str(value) for value in values}
        super().__init__(**kwargs)

    def read(self, data: Any) -> Any:
        """Return the word."""
        if isinstance(data, str) and data in self.choices:
            return self.choices_class(data) if self.choices_class else data
        return self.refuse(f"one of {', '.join(self.choices)} is expected")

    def to_representation(self, value: Any) -> Any:
        """Write the word."""
        return None if value is None else str(value)


class _Listed(Text):
    """A code from a published list."""

    listed: frozenset[str] = frozenset()
    expected = ""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(**kwargs)

    def check(self, text: str) -> Any:
        """Look it up."""
        return text if text in self.listed else self.refuse(self.expected)


class TimeZone(_Listed):
    """The IANA name of a time zone."""

    expected = "the IANA name of a time zone is expected, like Europe/Bucharest"

    def check(self, text: str) -> Any:
        """Look it up among the zones of the installed tz database."""
        return text if text in standards.time_zones() else self.refuse(self.expected)


class Currency(_Listed):
    """An ISO 4217 code."""

    listed = standards.CURRENCIES
    expected = "an ISO 4217 code is expected, like RON"


class Country(_Listed):
    """An ISO 3166-1 alpha-2 code."""

    listed = standards.COUNTRIES
    expected = "an ISO 3166-1 code of two letters is expected, like RO"


class Locale(Pattern):
    """A BCP 47 language tag."""

    def __init__(self, **kwargs: Any) -> None:
        """Take a language with optional script, region and variants."""
        super().__init__(
            standards.LANGUAGE_TAG,
            expected="a BCP 47 language tag is expected, like ro or ro-RO",
            max_length=35,
            **kwargs,
        )


class Uuid(StrictField):
    """A UUID in its canonical form."""

    _form = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

    def read(self, data: Any) -> Any:
        """Return the UUID."""
        if isinstance(data, str) and self._form.fullmatch(data):
            return UUID(data)
        return self.refuse("a UUID is expected")

    def to_representation(self, value: Any) -> Any:
        """Write it in lower case."""
        return None if value is None else str(value)


class Integer(StrictField):
    """A whole number: not 1.0, not "1", not true."""

    def __init__(self, *, min_value: int = SMALLEST_INTEGER, max_value: int = BIGGEST_INTEGER, **kwargs: Any) -> None:
        """Bound the value, both ends included."""
        self.min_value, self.max_value = min_value, max_value
        super().__init__(**kwargs)

    def read(self, data: Any) -> Any:
        """Return the number."""
        if type(data) is not int:
            return self.refuse("a whole number is expected")
        if data < self.min_value:
            self.refuse(f"at least {self.min_value} expected")
        if data > self.max_value:
            self.refuse(f"at most {self.max_value} expected")
        return data


class Id(Integer):
    """The id of a row. Whether the row can be seen is the service's to say ("not found")."""

    def __init__(self, **kwargs: Any) -> None:
        """Take any positive 64-bit number."""
        super().__init__(min_value=1, **kwargs)


class Boolean(StrictField):
    """`true` or `false`."""

    def read(self, data: Any) -> Any:
        """Return the boolean."""
        return data if isinstance(data, bool) else self.refuse("true or false is expected")


class Money(StrictField):
    """A decimal text with at most two places, such as `180.00`; never a number, which would be binary."""

    _form = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?", re.ASCII)

    def read(self, data: Any) -> Any:
        """Return the amount as a decimal with two places."""
        if isinstance(data, str) and self._form.fullmatch(data):
            return Decimal(data).quantize(Decimal("0.01"))
        return self.refuse('a decimal text of at least 0 with at most two places is expected, like "180.00"')

    def to_representation(self, value: Any) -> Any:
        """Write two places."""
        return None if value is None else f"{Decimal(value):.2f}"


class Instant(StrictField):
    """A moment by RFC 3339, offset included; kept in UTC."""

    _form = re.compile(
        r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
    )

    def __init__(self, *, whole_minutes: bool = False, **kwargs: Any) -> None:
        """Take any moment of the years 1900 to 2200, or only those on a full minute."""
        self.whole_minutes = whole_minutes
        super().__init__(**kwargs)

    def read(self, data: Any) -> Any:
        """Return the moment in UTC."""
        moment = instant(data)
        if moment is None:
            return self.refuse("an instant with its offset is expected, like 2026-12-01T09:00:00Z")
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.refuse(f"a year from {FIRST_YEAR} to {LAST_YEAR} is expected")
        if self.whole_minutes and (moment.second or moment.microsecond):
            self.refuse("a full minute is expected: seconds must be 00")
        return moment

    def to_representation(self, value: Any) -> Any:
        """Write it in UTC with `Z`."""
        return value


def instant(data: Any) -> datetime | None:
    """Read RFC 3339 with an offset; None for anything else, leap seconds and days out of the calendar included."""
    matched = Instant._form.fullmatch(data) if isinstance(data, str) else None  # noqa: SLF001 (the field's own form)
    if matched is None:
        return None
    day, clock, fraction, offset = matched.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset.upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Date(StrictField):
    """A day, `YYYY-MM-DD`."""

    _form = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

    def read(self, data: Any) -> Any:
        """Return the day."""
        day = self.parse(data)
        if day is None:
            return self.refuse("a date is expected, like 2026-12-01")
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.refuse(f"a year from {FIRST_YEAR} to {LAST_YEAR} is expected")
        return day

    @classmethod
    def parse(cls, data: Any) -> date | None:
        """Read a day; None for anything else."""
        if not isinstance(data, str) or not cls._form.fullmatch(data):
            return None
        try:
            return date.fromisoformat(data)
        except ValueError:
            return None


class TimeOfDay(StrictField):
    """A local time of day, `HH:MM`, from 00:00 to 23:59."""

    _form = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

    def read(self, data: Any) -> Any:
        """Return the time."""
        if isinstance(data, str) and self._form.fullmatch(data):
            return time.fromisoformat(data)
        return self.refuse("a time of day is expected, like 09:30")

    def to_representation(self, value: Any) -> Any:
        """Write hours and minutes."""
        return value.strftime("%H:%M") if isinstance(value, time) else value


class ListOf(serializers.ListField):
    """A list of values of one kind."""

    default_error_messages = {**MESSAGES, "not_a_list": "a list is expected"}

    def __init__(
        self,
        child: serializers.Field,
        *,
        min_items: int = 0,
        max_items: int = 1000,
        unique: bool = False,
        **kwargs: Any,
    ) -> None:
        """Bound the count, both ends included; `unique` refuses a value that stands twice."""
        self.min_items, self.max_items, self.unique = min_items, max_items, unique
        super().__init__(child=child, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        """Read each value; a problem is named by its index."""
        if not isinstance(data, list):
            raise serializers.ValidationError("a list is expected", code="not_a_list")
        if not self.min_items <= len(data) <= self.max_items:
            raise serializers.ValidationError(f"{self.min_items} to {self.max_items} values are expected")
        values = self.run_child_validation(data)
        if (
            self.unique
            and (twice := next((i for i, value in enumerate(values) if value in values[:i]), None)) is not None
        ):
            raise serializers.ValidationError({twice: ["stands twice"]})
        return values


class Object(StrictField):
    """A JSON object whose shape the service judges."""

    def read(self, data: Any) -> Any:
        """Return the object."""
        return data if isinstance(data, Mapping) else self.refuse("an object is expected")


class File(StrictField):
    """An uploaded file; its content is judged by the service, which re-encodes it."""

    def read(self, data: Any) -> Any:
        """Return the file."""
        return data if isinstance(data, UploadedFile) else self.refuse("a file is expected")
