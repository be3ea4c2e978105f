"""Fields of text: trimmed, bounded in code points, and of the forms that the contract names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from rest_framework.fields import empty

from restartix.kernel import phones
from restartix.kernel.api import standards
from restartix.kernel.api.fields.base import StrictField

NOT_EMPTY = "must not be empty"


def _code_points(count: int) -> str:
    return f"{count} character" + ("" if count == 1 else "s")


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
