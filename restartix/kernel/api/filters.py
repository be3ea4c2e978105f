"""Declared list filters: exact by name, commas mean OR, ranges by suffix, free text by `search`.

    class AppointmentFilters(ApiFilterSet):
        status = OneOf(AppointmentStatus)
        specialist_id = Ids()
        started_at = Instants()
        search = Search("title", "patient__person__name")
        event = By(Words(max_length=40), lambda queryset, values: queryset.filter(events__overlap=values))

Source: contract/conventions.md, "Envelope".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Choices, Q, QuerySet
from rest_framework import serializers

from restartix.kernel.api import fields, queries
from restartix.kernel.api.queries import Problems
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import Role, Roles

MAX_VALUES = 100
RANGES = ("gte", "gt", "lte", "lt")
SEARCH_CHARACTERS = 100


class Filter:
    """One filter: how the text of its parameter is read, and which rows it lets through."""

    #: Whether commas separate values, any of which may match.
    takes_several = True

    def __init__(self, field: serializers.Field, column: str = "", *, roles: Roles | None = None) -> None:
        """Read values by `field`, compare `column` (default: the filter's own name), for `roles` only if given."""
        self.field, self.column, self.roles = field, column, roles

    def parameters(self, name: str) -> tuple[str, ...]:
        """Return the names under which the filter is sent."""
        return (name,)

    def read(self, text: str) -> Any:
        """Return the values; raises DRF's ValidationError."""
        parts = text.split(",")
        if len(parts) > MAX_VALUES:
            raise serializers.ValidationError(f"at most {MAX_VALUES} values are expected")
        return [self.one(part) for part in parts]

    def one(self, text: str) -> Any:
        """Read one value."""
        return self.field.run_validation(text)

    def lookup(self, name: str, parameter: str) -> str:
        """Return the ORM look-up of one parameter."""
        return f"{self.column or name}__in"

    def apply(self, queryset: QuerySet[Any], name: str, parameter: str, value: Any) -> QuerySet[Any]:
        """Return the rows that pass."""
        return queryset.filter(**{self.lookup(name, parameter): value})


class OneOf(Filter):
    """One of a fixed set of words, or several separated by commas."""

    def __init__(self, choices: type[Choices] | Iterable[str], column: str = "", *, roles: Roles | None = None) -> None:
        """Take a Django choices class, or words."""
        super().__init__(fields.Choice(choices), column, roles=roles)

    def one(self, text: str) -> Any:
        """Read one word."""
        return str(super().one(text))


class Ids(Filter):
    """Ids of rows, several separated by commas."""

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a foreign key or a primary key."""
        super().__init__(fields.Id(), column, roles=roles)

    def one(self, text: str) -> Any:
        """Read one id."""
        return super().one(_number(text))  # type: ignore[arg-type]


class Uids(Filter):
    """UUIDs, several separated by commas."""

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a UUID column."""
        super().__init__(fields.Uuid(), column, roles=roles)


class Words(Filter):
    """Exact texts, several separated by commas."""

    def __init__(self, column: str = "", *, max_length: int = 200, roles: Roles | None = None) -> None:
        """Compare a text column, case and all."""
        super().__init__(fields.Text(max_length=max_length), column, roles=roles)


class Flag(Filter):
    """`true` or `false`."""

    takes_several = False

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a boolean column."""
        super().__init__(fields.Boolean(), column, roles=roles)

    def read(self, text: str) -> Any:
        """Read the one value."""
        return self.field.run_validation({"true": True, "false": False}.get(text, text))

    def lookup(self, name: str, parameter: str) -> str:
        """Compare for equality."""
        return self.column or name


class _Range(Filter):
    """Bounds of an ordered column, each by its suffix."""

    takes_several = False

    def parameters(self, name: str) -> tuple[str, ...]:
        """Return the four suffixed names."""
        return tuple(f"{name}.{suffix}" for suffix in RANGES)

    def read(self, text: str) -> Any:
        """Read the one bound."""
        return self.one(text)

    def lookup(self, name: str, parameter: str) -> str:
        """Compare by the suffix."""
        return f"{self.column or name}__{parameter.rpartition('.')[2]}"


class Instants(_Range):
    """Bounds of a moment: `started_at.gte=2026-12-01T00:00:00Z`."""

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a timestamp column."""
        super().__init__(fields.Instant(), column, roles=roles)


class Dates(_Range):
    """Bounds of a day."""

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a date column."""
        super().__init__(fields.Date(), column, roles=roles)


class Numbers(_Range):
    """Bounds of a whole number, or the number itself."""

    def __init__(self, column: str = "", *, roles: Roles | None = None) -> None:
        """Compare a number column."""
        super().__init__(fields.Integer(), column, roles=roles)

    def parameters(self, name: str) -> tuple[str, ...]:
        """Return the plain name and the four suffixed ones."""
        return (name, *super().parameters(name))

    def one(self, text: str) -> Any:
        """Read one number."""
        return super().one(_number(text))  # type: ignore[arg-type]

    def lookup(self, name: str, parameter: str) -> str:
        """Compare for equality, or by the suffix."""
        return (self.column or name) if parameter == name else super().lookup(name, parameter)


class Search(Filter):
    """Free text: rows that contain it in one of the columns, whatever the case. Empty text lets all rows through."""

    takes_several = False

    def __init__(
        self, *columns: str, by: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None, min_length: int = 1
    ) -> None:
        """Look into `columns`, or let `by` do it; refuse text of fewer than `min_length` characters."""
        super().__init__(fields.Text(min_length=min_length, max_length=SEARCH_CHARACTERS, allow_null=True))
        self.columns, self.by = columns, by

    def read(self, text: str) -> Any:
        """Read the text as one value, commas and all."""
        return self.field.run_validation(text) or ""

    def apply(self, queryset: QuerySet[Any], name: str, parameter: str, value: Any) -> QuerySet[Any]:
        """Return the rows that contain the text."""
        if not value:
            return queryset
        if self.by is not None:
            return self.by(queryset, value)
        anywhere = Q()
        for column in self.columns:
            anywhere |= Q(**{f"{column}__icontains": value})
        return queryset.filter(anywhere)


class By(Filter):
    """A filter that needs more than a comparison: `by` gets the rows and what the other filter read."""

    def __init__(
        self, reading: Filter, by: Callable[[QuerySet[Any], Any], QuerySet[Any]], *, roles: Roles | None = None
    ) -> None:
        """Read like `reading`, choose rows by `by`."""
        super().__init__(reading.field, roles=roles)
        self.reading, self.by, self.takes_several = reading, by, reading.takes_several

    def parameters(self, name: str) -> tuple[str, ...]:
        """Return the names of `reading`."""
        return self.reading.parameters(name)

    def read(self, text: str) -> Any:
        """Read like `reading`."""
        return self.reading.read(text)

    def apply(self, queryset: QuerySet[Any], name: str, parameter: str, value: Any) -> QuerySet[Any]:
        """Choose rows."""
        return self.by(queryset, value)


def _number(text: str) -> int | str:
    number = queries.integer(text)
    return text if number is None else number


@dataclass(frozen=True, slots=True)
class Wanted:
    """One filter that was sent, read."""

    name: str
    parameter: str
    filter: Filter
    value: Any

    def apply(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the rows that pass."""
        return self.filter.apply(queryset, self.name, self.parameter, self.value)


class ApiFilterSet:
    """The filters of one list, declared as class attributes."""

    declared: ClassVar[Mapping[str, Filter]] = {}
    by_parameter: ClassVar[Mapping[str, tuple[str, Filter]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Collect the declared filters, the parent's first."""
        super().__init_subclass__(**kwargs)
        own = {name.rstrip("_"): value for name, value in vars(cls).items() if isinstance(value, Filter)}
        cls.declared = {**cls.declared, **own}
        cls.by_parameter = {
            parameter: (name, declared)
            for name, declared in cls.declared.items()
            for parameter in declared.parameters(name)
        }

    @classmethod
    def read(cls, parameters: Mapping[str, str], *, role: Role | None, problems: Problems) -> list[Wanted]:
        """Return the filters among `parameters`, in the order of their declaration, noting what cannot be read.

        Raises Forbidden (403) for a filter that is not open to `role`.
        """
        wanted = []
        for parameter, (name, declared) in cls.by_parameter.items():
            if parameter not in parameters:
                continue
            if declared.roles is not None and role not in declared.roles:
                raise Forbidden(f"Your role may not filter by {name}.")
            try:
                wanted.append(Wanted(name, parameter, declared, declared.read(parameters[parameter])))
            except serializers.ValidationError as error:
                problems.add(parameter, str(error.detail[0]))  # type: ignore[index]
        return wanted
