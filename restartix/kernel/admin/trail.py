"""The audit trail as the back office shows it: who changed a row last, and everything that ever changed.

The kernel has no tables. The setting `RESTARTIX_TRAIL` names a callable

    def changes_of(entity: str, row_id: int | str, *, limit: int) -> Sequence[Change]: ...

that reads the trail of the active clinic, newest first. A row that is on record under something else than its primary
key says so by `audit_id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils import formats, timezone
from django.utils.module_loading import import_string
from django.utils.text import capfirst
from django.utils.translation import gettext as _

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One audit row: who, when, by which door, and old and new values by column."""

    at: datetime
    action: str
    actor: str
    role: str
    source: str
    values: Mapping[str, Any]


class Trail(Protocol):
    """The look-up behind `RESTARTIX_TRAIL`."""

    def __call__(self, entity: str, row_id: int | str, *, limit: int) -> Sequence[Change]:
        """Return the newest changes of one row."""
        ...


@cache
def _imported(path: str) -> Trail:
    return cast("Trail", import_string(path))


def _read(entity: str, row: models.Model, limit: int) -> Sequence[Change]:
    return _imported(settings.RESTARTIX_TRAIL)(entity, getattr(row, "audit_id", row.pk), limit=limit)


def last_change(entity: str, row: models.Model) -> Change | None:
    """Return the newest change of a row, if there is any."""
    return next(iter(_read(entity, row, 1)), None)


def last_change_text(entity: str, row: models.Model | None) -> str:
    """Return "Changed by Ana Pop at 12:05." for a stale page; empty where nothing is known."""
    if not entity or row is None or row.pk is None:
        return ""
    found = last_change(entity, row)
    if found is None:
        return ""
    at = formats.date_format(timezone.localtime(found.at), "TIME_FORMAT")
    return _("Last changed by %(name)s at %(time)s.") % {"name": found.actor or found.source, "time": at}


@dataclass(frozen=True, slots=True)
class Line:
    """One column of one change, ready to be read."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Told:
    """One change, ready to be read."""

    change: Change
    lines: Sequence[Line]


def changes(entity: str, row: models.Model, model: type[models.Model]) -> list[Told]:
    """Return everything that the trail knows of a row, newest first, with the columns by their names."""
    return [
        Told(change, [_line(model, name, value) for name, value in change.values.items()])
        for change in _read(entity, row, LONGEST)
    ]


def _line(model: type[models.Model], column: str, value: Mapping[str, Any]) -> Line:
    name, _dot, rest = column.partition(".")
    try:
        field: Any = model._meta.get_field(name.removesuffix("_id") if name.endswith("_id") else name)
    except FieldDoesNotExist:
        label = name
    else:
        label = capfirst(str(field.verbose_name))
    return Line(f"{label} {rest}".strip(), _shown(value.get("old")), _shown(value.get("new")))


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
