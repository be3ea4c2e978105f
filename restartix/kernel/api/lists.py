"""A page of a list: filtered, sorted, counted, with the same number of queries whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet

from restartix.kernel.api import envelope, includes, pagination, queries, sorting
from restartix.kernel.api.fast.lists import fast_page
from restartix.kernel.api.filters import ApiFilterSet, Wanted
from restartix.kernel.api.pagination import Page
from restartix.kernel.api.queries import Problems

if TYPE_CHECKING:
    from restartix.kernel.api.resources import Resource


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a caller wants of a list, read and validated."""

    page: Page
    ordering: tuple[str, ...]
    filters: tuple[Wanted, ...]
    included: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page, ready to be written."""

    payload: Mapping[str, Any]


def read_list(view: Resource) -> ListRequest:
    """Read the query of a list.

    Raises Invalid (422) naming every parameter that is unknown or cannot be read, and Forbidden (403) for a filter that
    is not open to the caller.
    """
    parameters, problems = queries.parse_query(view.request), Problems()
    filterset: type[ApiFilterSet] = view.filterset_class
    queries.refuse_unknown(parameters, known_parameters(view), problems)
    wanted = ListRequest(
        page=pagination.read_page(parameters, problems),
        ordering=sorting.order_by(
            parameters.get("sort"), sortable=view.sortable, default=view.default_sort, problems=problems
        ),
        filters=tuple(filterset.read(parameters, role=view.actor.effective_role, problems=problems)),
        included=includes.read_includes(parameters.get("include"), view.includes, problems),
    )
    problems.check()
    return wanted


def known_parameters(view: Resource | type[Resource]) -> list[str]:
    """Return the names that the query of the list may hold."""
    shared = [*pagination.PARAMETERS, *(["sort"] if view.sortable else []), *(["include"] if view.includes else [])]
    return [*shared, *view.filterset_class.by_parameter]


def page_of(view: Resource) -> Listing:
    """Return the page that the caller wants: the quick way where the list can be compiled, else the ordinary one."""
    wanted = read_list(view)
    view.included = wanted.included
    data, total = fast_page(view, wanted) or ordinary_page(view, wanted)
    return Listing(envelope.page_of(data, page=wanted.page.number, limit=wanted.page.limit, total=total))


def ordinary_page(view: Resource, wanted: ListRequest) -> tuple[Sequence[Any], int]:
    """Return the rows of the page and the total by the ORM and the declared serializer."""
    queryset = filtered(view.rows(), wanted)
    total = queryset.order_by().count()
    if not wanted.page.is_reachable or wanted.page.offset >= total:
        return [], total
    rows = _prepared(view, queryset.order_by(*wanted.ordering), wanted)
    return view.represent_all(rows[wanted.page.offset : wanted.page.offset + wanted.page.limit]), total


def filtered(queryset: QuerySet[Any], wanted: ListRequest) -> QuerySet[Any]:
    """Return the rows that pass every filter."""
    for each in wanted.filters:
        queryset = each.apply(queryset)
    return queryset


def _prepared(view: Resource, queryset: QuerySet[Any], wanted: ListRequest) -> QuerySet[Any]:
    queryset = view.prepare(queryset)
    for name in wanted.included:
        queryset = view.includes[name](queryset)
    return queryset
