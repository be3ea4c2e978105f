"""The order of a list: `sort=field`, `sort=-field`, several separated by commas; it always ends in the primary key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restartix.kernel.api.queries import Problems

Sortable = Sequence[str] | Mapping[str, str]


def columns_of(sortable: Sortable) -> dict[str, str]:
    """Return name → ORM path; a plain sequence sorts by columns of the same names."""
    return dict(sortable) if isinstance(sortable, Mapping) else {name: name for name in sortable}


def order_by(
    text: str | None, *, sortable: Sortable, default: str, problems: Problems, primary_key: str = "pk"
) -> tuple[str, ...]:
    """Return the ORM ordering that `text` asks for, or the default one; note what is not sortable.

    The primary key comes last, in the direction of the field before it, so that pages never overlap.
    """
    columns = columns_of(sortable)
    names = (text if text is not None else default).split(",")
    terms: dict[str, str] = {}
    for name in names:
        bare = name.removeprefix("-")
        if bare not in columns:
            problems.add("sort", f"one of {', '.join(columns)}, with - for descending, is expected")
            return ()
        if bare in terms:
            problems.add("sort", f"{bare} stands twice")
            return ()
        terms[bare] = ("-" if name.startswith("-") else "") + columns[bare]
    ordering = tuple(terms.values())
    if "id" in terms or "pk" in terms:
        return ordering
    return (*ordering, ("-" if ordering[-1].startswith("-") else "") + primary_key)
