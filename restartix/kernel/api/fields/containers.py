"""Fields that hold others, or what is judged elsewhere: lists, objects, files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers

from restartix.kernel.api.fields.base import MESSAGES, StrictField


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
            raise serializers.ValidationError({twice: ["stands twice"]})  # type: ignore[dict-item]  # DRF does the same
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
