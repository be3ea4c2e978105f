"""Model instances from SQL that is written by hand: for the few reads that run too often to be written anew each time.

The column list comes from the model, so that a new column is there by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import orjson
from django.db import connection, models

ModelT = TypeVar("ModelT", bound=models.Model)


class Columns(Generic[ModelT]):
    """All columns of a model under one alias of a statement, and the way from a row to an instance."""

    def __init__(self, model: type[ModelT], alias: str) -> None:
        """Name the columns of `model`, whose table has `alias` in the statement."""
        fields = model._meta.concrete_fields
        self.sql = ", ".join(f'{alias}."{field.column}"' for field in fields)
        self._model = model
        self._names = [field.attname for field in fields]
        opened = ((place, _opener(field)) for place, field in enumerate(fields))
        self._openers = [(place, opener) for place, opener in opened if opener is not None]

    def __len__(self) -> int:
        """How many columns there are."""
        return len(self._names)

    def instance(self, row: Sequence[Any], first: int) -> ModelT:
        """Return the instance whose columns begin at the place `first` of the row."""
        values = list(row[first : first + len(self._names)])
        for place, opener in self._openers:
            if values[place] is not None:
                values[place] = opener(values[place])
        return self._model.from_db("default", self._names, values)


def _opener(field: models.Field[Any, Any]) -> Callable[[Any], Any] | None:
    """Return what reads the column's value, None where the driver does it all."""
    if isinstance(field, models.JSONField):
        return orjson.loads
    from_db_value = getattr(field, "from_db_value", None)
    return None if from_db_value is None else lambda value: from_db_value(value, None, connection)
