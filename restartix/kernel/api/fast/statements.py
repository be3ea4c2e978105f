"""The SQL of a list, written once by the ORM with marks for values, and run again with the values themselves.

`rows()` of a resource may look at nothing but the caller's role and ids and the organization's id: that is tried out,
with stand-ins that answer nothing else. Whatever cannot be followed from a mark to a parameter is not kept: the list
then goes the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import BigIntegerField, QuerySet, Subquery
from psycopg.pq import Format

from restartix.kernel.api.fast.rows import NotCompilable, RowWriter, compile_rows
from restartix.kernel.api.filters import Filter, Flag, Search, Wanted
from restartix.kernel.tenancy import EVERY, Actor, Scope, Trace, scoped

if TYPE_CHECKING:
    from restartix.kernel.api.lists import ListRequest
    from restartix.kernel.api.resources import Resource

Read = Callable[["Values"], Any]

ORGANIZATION_MARK, USER_MARK = 1_987_650_001, 1_987_650_002
_NUMBER_MARK, _FIRST_MOMENT = 1_987_651_000, datetime(1901, 2, 3, 4, 5, 6, tzinfo=UTC)
_TOTAL = "total_of_the_list"


@dataclass(frozen=True, slots=True)
class Values:
    """What one request puts in the place of the marks."""

    organization_id: int | None
    user_id: int | None
    filters: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """The kept SQL of a page and of its total alone, with what each parameter is."""

    sql: str
    parameters: tuple[Read, ...]
    count_sql: str
    count_parameters: tuple[Read, ...]
    writer: RowWriter

    def page(self, values: Values, *, limit: int, offset: int) -> tuple[list[dict[str, Any]], int]:
        """Return the rows of a page and the total, in one statement; a page past the end needs a second one."""
        with connection.cursor() as cursor:
            if self.writer.is_binary:
                cursor.cursor.format = Format.BINARY
            cursor.execute(self.sql, [*(read(values) for read in self.parameters), limit, offset])
            rows = cursor.fetchall()
            if rows or not offset:
                return self.writer.write(rows), rows[0][-1] if rows else 0
            cursor.execute(self.count_sql, [read(values) for read in self.count_parameters])
            return [], cursor.fetchone()[0]


class _TotalOf(Subquery):
    """How many rows a query has, as a column beside the rows of one page."""

    template = "(SELECT count(*) FROM (%(subquery)s) counted)"
    output_field = BigIntegerField()


class _StandIn:
    """Answers its id, and what else is harmless to know because it cannot reach the SQL unnoticed."""

    def __init__(self, mark: int, **known: Any) -> None:
        self.id = mark
        vars(self).update(known)

    def __getattr__(self, name: str) -> Any:
        raise NotCompilable(f"rows() looks at {name}")


def key_of(view: Resource, wanted: ListRequest) -> tuple[Any, ...]:
    """Return what shapes the SQL of this list."""
    actor, filters = view.actor, tuple((each.parameter, _shape(each)) for each in wanted.filters)
    caller = (actor.kind, actor.role, actor.is_superadmin, actor.impersonation_id is None, view.organization is None)
    return (type(view), view.action, caller, filters, wanted.ordering, wanted.included)


def _shape(wanted: Wanted) -> Any:
    if isinstance(wanted.filter, Flag):
        return wanted.value
    return len(wanted.value) if isinstance(wanted.value, list) else None


def compile_statement(view: Resource, wanted: ListRequest) -> Statement:
    """Write the SQL of the list that `wanted` describes, with marks. Raises NotCompilable."""
    if view.actor.impersonation_id is not None or view.actor.kind != "user":
        raise NotCompilable("the caller is not a user of their own")
    if view.organization is None and not view.actor.is_superadmin:
        raise NotCompilable("no organization is active")
    marked = tuple(_mark(each, index) for index, each in enumerate(wanted.filters))
    with _probe(view) as probe, _no_queries():
        queryset = probe.rows()
        for each in marked:
            queryset = each.apply(queryset)
        assert probe.shape is not None
        serializer = probe.shape(context={**probe.serializer_context(), "include": wanted.included})
        writer = compile_rows(queryset.model, serializer, annotations=queryset.query.annotations)
        return _written(queryset, wanted.ordering, writer, _Marks(view, [each.value for each in marked]))


def _written(queryset: QuerySet[Any], ordering: Sequence[str], writer: RowWriter, marks: _Marks) -> Statement:
    if queryset._prefetch_related_lookups:  # type: ignore[attr-defined]  # noqa: SLF001 (nothing public tells)
        raise NotCompilable("prefetched relations")
    bare = queryset.order_by().select_related(None)
    counted = bare.values("pk")
    page = bare.annotate(**{_TOTAL: _TotalOf(counted)}).order_by(*ordering).values_list(*writer.columns, _TOTAL)
    try:
        sql, parameters = page.query.sql_with_params()
        inner, inner_parameters = counted.query.sql_with_params()
    except (EmptyResultSet, FullResultSet) as error:
        raise NotCompilable("no rows whatever the values") from error
    return Statement(
        f"{sql} LIMIT %s OFFSET %s",
        tuple(marks.reader(parameter) for parameter in parameters),
        f"SELECT count(*) FROM ({inner}) counted",  # noqa: S608 (the ORM's own SQL)
        tuple(marks.reader(parameter) for parameter in inner_parameters),
        writer,
    )


@contextmanager
def _probe(view: Resource) -> Iterator[Resource]:
    """Yield a copy of the resource whose caller and organization are stand-ins, in a scope of marks."""
    actor = replace(
        view.actor, id=USER_MARK, name="", email="", organization_id=ORGANIZATION_MARK if view.organization else None
    )
    probe = type(view)()
    probe.action, probe.action_map, probe.kwargs = view.action, view.action_map, {}
    probe.actor, probe.included = actor, view.included
    probe.person = _StandIn(USER_MARK)  # type: ignore[assignment]
    if view.organization is not None:
        probe.organization = _StandIn(ORGANIZATION_MARK, timezone=view.organization.timezone)  # type: ignore[assignment]
    probe.request = _StandIn(0)  # type: ignore[assignment]
    probe.sent = _StandIn(0)  # type: ignore[assignment]
    with scoped(_scope(actor, in_one=view.organization is not None)):
        yield probe


def _scope(actor: Actor, *, in_one: bool) -> Scope:
    return Scope(ORGANIZATION_MARK if in_one else EVERY, actor, Trace())


@contextmanager
def _no_queries() -> Iterator[None]:
    def refuse(*_: Any) -> Any:
        raise NotCompilable("rows() asks the database")

    with connection.execute_wrapper(refuse):
        yield


def _mark(wanted: Wanted, index: int) -> Wanted:
    """Return the filter with marks for its values, of the same kind and as many."""
    if isinstance(wanted.filter, Flag):
        return wanted
    if isinstance(wanted.filter, Search):
        if wanted.filter.by is not None or not wanted.value:
            raise NotCompilable("the search has its own way")
    elif type(wanted.filter).apply is not Filter.apply:
        raise NotCompilable(f"{wanted.name} chooses rows in its own way")
    if isinstance(wanted.value, list):
        value: Any = [_mark_like(each, index * 100 + position) for position, each in enumerate(wanted.value)]
    else:
        value = _mark_like(wanted.value, index * 100)
    return replace(wanted, value=value)


def _mark_like(value: Any, number: int) -> Any:
    if isinstance(value, bool):
        raise NotCompilable("a boolean among values")
    if isinstance(value, int):
        return _NUMBER_MARK + number
    if isinstance(value, str):
        return f"\ue000mark-{number}\ue000"
    if isinstance(value, datetime):
        return _FIRST_MOMENT + timedelta(seconds=number)
    if isinstance(value, date):
        return _FIRST_MOMENT.date() + timedelta(days=number)
    if isinstance(value, UUID):
        return UUID(int=_NUMBER_MARK * 10**9 + number)
    raise NotCompilable(f"a value of {type(value).__name__}")


class _Marks:
    """The marks of one statement, and the way back from a parameter to the value that it stands for."""

    def __init__(self, view: Resource, values: Sequence[Any]) -> None:
        self._values = values
        self._timezone = view.organization.timezone if view.organization else None

    def reader(self, parameter: Any) -> Read:
        """Return how a parameter is read from the values of a request. Raises NotCompilable where that is not sure."""
        if parameter == ORGANIZATION_MARK:
            return lambda values: values.organization_id
        if parameter == USER_MARK:
            return lambda values: values.user_id
        for index, mark in enumerate(self._values):
            if reader := _of_filter(parameter, mark, index):
                return reader
        if isinstance(parameter, date) or parameter == self._timezone or _holds_a_mark(parameter):
            raise NotCompilable("a value that may not be the next request's")
        return lambda values: parameter


def _of_filter(parameter: Any, mark: Any, index: int) -> Read | None:
    if isinstance(mark, list):
        return _of_list(index, mark.index(parameter)) if parameter in mark else None
    if parameter == mark and type(parameter) is type(mark):
        return lambda values: values.filters[index]
    if isinstance(mark, str) and parameter == f"%{mark}%":
        return lambda values: f"%{connection.ops.prep_for_like_query(values.filters[index])}%"
    return None


def _of_list(index: int, position: int) -> Read:
    return lambda values: values.filters[index][position]


def _holds_a_mark(parameter: Any) -> bool:
    text = str(parameter)
    return any(mark in text for mark in ("\ue000", str(ORGANIZATION_MARK), str(USER_MARK), str(_NUMBER_MARK)[:7]))
