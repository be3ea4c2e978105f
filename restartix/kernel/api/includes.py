"""Relations that a caller may have embedded: `include=patient,forms`, without extra queries a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Prefetch, QuerySet

from restartix.kernel.api.queries import Problems

Prepare = Callable[[QuerySet[Any]], QuerySet[Any]]


def joined(*paths: str) -> Prepare:
    """Embed relations to one row by a join."""
    return lambda queryset: queryset.select_related(*paths)


def prefetched(path: str, rows: Callable[[], QuerySet[Any]] | None = None, *, to: str | None = None) -> Prepare:
    """Embed a relation to many rows by one more query; `rows` says which and in which order."""
    return lambda queryset: queryset.prefetch_related(Prefetch(path, rows() if rows else None, to_attr=to))


def read_includes(text: str | None, known: Mapping[str, Prepare], problems: Problems) -> tuple[str, ...]:
    """Return the names that `text` lists, each once, in the order of the declaration; note unknown ones."""
    if text is None:
        return ()
    names = text.split(",")
    for name in names:
        if name not in known:
            problems.add(
                "include",
                f"{name or 'nothing'} cannot be included"
                + (f": one of {', '.join(known)} is expected" if known else ""),
            )
    return tuple(name for name in known if name in names)
