"""Members of an organization, and what higher apps know them as. Source: contract/organizations.md 1.2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import BigIntegerField, QuerySet, Value

from apps.organizations.models import Membership

#: Columns that are shown even where no app fills them.
_COLUMNS = ("specialist_id", "patient_id")
_known_as: dict[str, Callable[[], Any]] = {}


def know_as(column: str, expression: Callable[[], Any]) -> None:
    """Fill `column` of each member by an expression over the membership (`OuterRef("user_id")`).

    A higher app registers it in its `AppConfig.ready`, for specialists and patients are none of this app's business.
    """
    if column not in _COLUMNS:
        raise ValueError(column)
    _known_as[column] = expression


def members() -> QuerySet[Membership]:
    """Return the memberships of the active organization with `specialist_id` and `patient_id`; one statement."""
    unknown = Value(None, output_field=BigIntegerField())
    columns = {column: _known_as[column]() if column in _known_as else unknown for column in _COLUMNS}
    return Membership.objects.select_related("user", "created_by").annotate(**columns)
