"""Fields that are made from other columns of the row, declared so that lists can be written without model instances."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

from rest_framework import serializers

from restartix.kernel.api.fields.base import StrictField


def follow(instance: Any, path: str) -> Any:
    """Return the value at a dotted path; None where a link on the way leads nowhere."""
    return reduce(lambda value, name: None if value is None else getattr(value, name), path.split("."), instance)


class Computed(StrictField):
    """A value worked out from columns: `avatar_url = Computed(Url(allow_null=True), "avatar", by=address_of)`.

    `columns` are dotted paths from the row; `by` takes their values and knows nothing else. `result` says how the value
    is written.
    """

    def __init__(self, result: serializers.Field, *columns: str, by: Callable[..., Any], **kwargs: Any) -> None:
        """Take the field of the result, the columns and the function."""
        self.result, self.columns, self.by = result, columns, by
        kwargs.setdefault("allow_null", result.allow_null)
        result.allow_null = False  # null is this field's to write
        super().__init__(source="*", **kwargs)

    def value_of(self, *values: Any) -> Any:
        """Return what is written, from the columns' values."""
        value = self.by(*values)
        return None if value is None else self.result.to_representation(value)

    def to_representation(self, value: Any) -> Any:
        """Write the value of a row."""
        return self.value_of(*(follow(value, column) for column in self.columns))


class Part(StrictField):
    """An object made of the row's own columns; null where the column `when` is null.

    `contact = Part(ContactShape(), when="contact_name")`.
    """

    def __init__(self, shape: serializers.BaseSerializer, *, when: str, **kwargs: Any) -> None:
        """Take the shape of the object, whose sources are the row's columns."""
        self.shape, self.when = shape, when
        kwargs.setdefault("allow_null", True)
        super().__init__(source="*", **kwargs)

    def bind(self, field_name: str, parent: Any) -> None:
        """Let the shape see the context of the whole representation."""
        super().bind(field_name, parent)
        self.shape.bind(field_name, parent)

    def to_representation(self, value: Any) -> Any:
        """Write the object, or null."""
        return None if follow(value, self.when) is None else self.shape.to_representation(value)
