"""How the lists of profiles are narrowed. Source: contract/profiles.md 2.2, 2.3."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.profiles.models.specialists import LicenseStatus, Specialist
from restartix.kernel import clock
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Ids, OneOf, Search, Words
from restartix.kernel.roles import ADMINS, STAFF


def _practising(rows: Any, specialty_ids: list[int]) -> QuerySet[Specialist]:
    kept: QuerySet[Specialist] = rows.practising(specialty_ids)
    return kept


def _bookable(rows: Any, bookable: bool) -> QuerySet[Specialist]:  # noqa: FBT001 (a filter's value)
    kept: QuerySet[Specialist] = rows.standing_bookable(bookable=bookable, now=clock.now())
    return kept


def _licensed(rows: Any, statuses: list[str]) -> QuerySet[Specialist]:
    kept: QuerySet[Specialist] = rows.with_license_status(statuses, now=clock.now())
    return kept


def _deleted(rows: Any, deleted: bool) -> QuerySet[Specialist]:  # noqa: FBT001 (a filter's value)
    kept: QuerySet[Specialist] = rows.filter(deleted_at__isnull=not deleted)
    return kept


class SpecialistFilters(ApiFilterSet):
    """Filters of the list of specialists; some are not open to everybody."""

    specialty_id = By(Ids(), _practising)
    search = Search("name__unaccent", "title__unaccent")
    slug = Words(max_length=80)
    is_bookable = By(Flag(), _bookable)
    scheduling_active = Flag(roles=STAFF)
    user_id = Ids(roles=STAFF)
    license_status = By(OneOf(LicenseStatus), _licensed, roles=STAFF)
    deleted = By(Flag(), _deleted, roles=ADMINS)


class SpecialtyFilters(ApiFilterSet):
    """Filters of the list of specialties."""

    search = Search("title__unaccent")
    slug = Words(max_length=80)
