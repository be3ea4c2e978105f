"""Fields of one value: words, ids, numbers, amounts, booleans."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Choices

from restartix.kernel.api.fields.base import StrictField
from restartix.kernel.api.parsing import BIGGEST_INTEGER, SMALLEST_INTEGER


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
