"""The strict field: what it takes is one method, and what it refuses is one sentence."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

MESSAGES: Any = {"required": "required", "null": "null is not accepted"}
FIRST_YEAR, LAST_YEAR = 1900, 2200


class StrictField(serializers.Field):
    """A field whose reading is one method, `read`, which fails with a sentence."""

    default_error_messages = MESSAGES

    def __init__(self, *, example: Any = None, **kwargs: Any) -> None:
        """Take DRF's options, and an `example` for the documentation."""
        self.example = example
        super().__init__(**kwargs)

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
