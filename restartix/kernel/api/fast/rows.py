"""A declared serializer as columns and one function from tuples to dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models
from rest_framework import serializers

from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation

Convert = Callable[[Any], Any]


class NotCompilable(Exception):
    """The declaration says something that only model instances can answer."""


@dataclass(frozen=True, slots=True)
class RowWriter:
    """What to select, and how to write what was selected."""

    columns: tuple[str, ...]
    write: Callable[[Sequence[Sequence[Any]]], list[dict[str, Any]]]
    #: Whether every column may come in PostgreSQL's binary form, which is quicker to read.
    is_binary: bool = False


#: Fields that write a column's value as it is; JSON is written by orjson, which knows moments, days and UUIDs.
_AS_IT_IS = (
    fields.Text, fields.Integer, fields.Boolean, fields.Instant, fields.Date, fields.Uuid, fields.Choice,
    serializers.IntegerField, serializers.BooleanField, serializers.CharField, serializers.FloatField,
)  # fmt: skip
#: Columns that mean the same in PostgreSQL's text and binary forms (JSON and addresses do not).
_BINARY = (
    models.IntegerField, models.CharField, models.TextField, models.BooleanField, models.DateTimeField,
    models.UUIDField, models.DecimalField, models.BinaryField, models.ForeignKey,
)  # fmt: skip
#: Fields whose way of reading a row is the plain one: follow the source.
_PLAIN = (serializers.Field.get_attribute, fields.StrictField.get_attribute)


def compile_rows(
    model: type[models.Model], serializer: serializers.BaseSerializer, *, annotations: Collection[str] = ()
) -> RowWriter:
    """Compile `serializer` over rows of `model` that carry `annotations` besides. Raises NotCompilable."""
    source = _Source(model, annotations)
    display = source.object(serializer, ())
    # The text is made of literals and of names that this module gave; nothing of a request is in it.
    code = compile(f"lambda rows: [{display} for r in rows]", f"<{type(serializer).__name__}>", "eval")
    write = eval(code, {"__builtins__": {}, **source.names})  # noqa: S307 (see above)
    return RowWriter(tuple(source.columns), write, is_binary=source.is_binary)


@dataclass
class _Source:
    """The text of the function while it is being written."""

    model: type[models.Model]
    annotations: Collection[str]
    columns: dict[str, int] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    is_binary: bool = True

    def object(self, serializer: Any, path: tuple[str, ...]) -> str:
        """Return the display of one object whose sources begin at `path`."""
        if not isinstance(serializer, Representation) or _overrides_writing(serializer):
            raise NotCompilable(type(serializer).__name__)
        entries = (
            f"{name!r}: {self._value(each, path)}" for name, each in serializer.fields.items() if not each.write_only
        )
        return "{" + ", ".join(entries) + "}"

    def _value(self, each: Any, path: tuple[str, ...]) -> str:
        if isinstance(each, fields.Computed):
            values = (self._column((*path, *column.split("."))) for column in each.columns)
            return f"{self._name(each.value_of)}({', '.join(values)})"
        if isinstance(each, fields.Part):
            present = self._column((*path, *each.when.split(".")))
            return f"({self.object(each.shape, path)} if {present} is not None else None)"
        if each.source == "*" and isinstance(each, serializers.Serializer):
            return self.object(each, path)
        inner = (*path, *each.source.split("."))
        if isinstance(each, serializers.BaseSerializer):
            return f"({self.object(each, inner)} if {self._column((*inner, 'pk'))} is not None else None)"
        return self._plain(each, inner)

    def _plain(self, each: serializers.Field, path: tuple[str, ...]) -> str:
        if each.source == "*" or type(each).get_attribute not in _PLAIN:
            raise NotCompilable(f"{type(each).__name__} {each.field_name}")
        column = self._column(path)
        if isinstance(each, _AS_IT_IS):
            return column
        return f"(None if {column} is None else {self._name(each.to_representation)}({column}))"

    def _column(self, path: tuple[str, ...]) -> str:
        """Return the text that reads a column, opened if the database holds it sealed or as JSON."""
        if len(path) == 1 and path[0] in self.annotations:
            name, column = path[0], None
            self.is_binary = False
        else:
            name, column = _resolve(self.model, path)
            self.is_binary &= isinstance(column, _BINARY)
        text = f"r[{self.columns.setdefault(name, len(self.columns))}]"
        opening = getattr(column, "from_db_value", None)
        return text if opening is None else f"{self._name(_opener(opening))}({text})"

    def _name(self, value: Any) -> str:
        name = f"f{len(self.names)}"
        self.names[name] = value
        return name


def _opener(opening: Callable[..., Any]) -> Convert:
    return lambda value: opening(value, None, connection)


def _overrides_writing(serializer: Any) -> bool:
    kind = type(serializer)
    return kind.to_representation is not serializers.Serializer.to_representation


def _resolve(model: type[models.Model], path: tuple[str, ...]) -> tuple[str, models.Field[Any, Any]]:
    """Return the ORM's name of a column and its field; links to one row may lie on the way."""
    *links, last = path
    current, steps = model, []
    for link in links:
        related = _field(current, link)
        if not isinstance(related, models.ForeignKey):
            raise NotCompilable(".".join(path))
        current = related.related_model
        steps.append(link)
    if last == "pk" and links:  # the link's own column tells whether there is a row, without a join
        return "__".join((*steps[:-1], f"{steps[-1]}_id")), _field(current, "pk")
    return "__".join((*steps, last)), _field(current, last)


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    if name == "pk":
        return model._meta.pk
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        by_column = {each.attname: each for each in model._meta.concrete_fields}
        if name not in by_column:
            raise NotCompilable(f"{model.__name__}.{name}") from None
        return by_column[name]
    if not isinstance(found, models.Field) or not found.concrete:
        raise NotCompilable(f"{model.__name__}.{name}")
    return found
