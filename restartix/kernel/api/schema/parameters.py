"""The query parameters of an operation: pages, order, filters, includes, or its declared query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from rest_framework import serializers

from restartix.kernel.api.operations import Operation
from restartix.kernel.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from restartix.kernel.api.sorting import columns_of

Schema = dict[str, Any]
MapField = Callable[[Any], Schema]


def query_parameters(view: Any, operation: Operation, map_field: MapField) -> list[Schema]:
    """Return the parameters of the query string in the order in which one thinks of them."""
    if operation.query is not None:
        return [_declared(name, field, map_field) for name, field in operation.query().fields.items()]
    if view.action == "list":
        return [*_filters(view, map_field), *_order(view), *_include(view), *_pages()]
    return list(_include(view)) if view.action == "retrieve" else []


def _query(name: str, schema: Schema, description: str = "", *, several: bool = False) -> Schema:
    """Return a parameter; one that takes `several` values takes them separated by commas."""
    parameter: Schema = {"name": name, "in": "query", "required": False}
    if description:
        parameter["description"] = description
    if several:
        return {**parameter, "schema": {"type": "array", "items": schema}, "style": "form", "explode": False}
    return {**parameter, "schema": schema}


def _declared(name: str, field: serializers.Field, map_field: MapField) -> Schema:
    schema = map_field(field)
    several = schema.get("type") == "array"
    parameter = _query(name, schema["items"] if several else schema, str(field.help_text or ""), several=several)
    return {**parameter, "required": field.required}


def _pages() -> list[Schema]:
    page: Schema = {"type": "integer", "minimum": 1, "default": 1}
    limit: Schema = {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT}
    return [
        _query("page", page, "Which page; past the end it is empty."),
        _query("limit", limit, f"Rows a page; more than {MAX_LIMIT} are taken for {MAX_LIMIT}."),
    ]


def _order(view: Any) -> Iterator[Schema]:
    names = [name for column in columns_of(view.sortable) for name in (column, f"-{column}")]
    about = f"Fields separated by commas, `-` for descending; default `{view.default_sort}`. Ties by id."
    yield _query("sort", {"type": "string", "enum": names}, about, several=True)


def _include(view: Any) -> Iterator[Schema]:
    if view.includes:
        names = {"type": "string", "enum": list(view.includes)}
        yield _query("include", names, "Relations to embed, separated by commas.", several=True)


def _filters(view: Any, map_field: MapField) -> Iterator[Schema]:
    for parameter, (_, declared) in view.filterset_class.by_parameter.items():
        several = "Several values separated by commas mean any of them. " if declared.takes_several else ""
        closed = f"Open to: {', '.join(sorted(declared.roles))}." if declared.roles else ""
        about = (several + closed).strip()
        yield _query(parameter, map_field(declared.field), about, several=declared.takes_several)
