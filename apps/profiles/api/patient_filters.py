"""How the lists of patients, consents and caregivers are narrowed. Source: contract/profiles.md 2.1, 3."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from apps.organizations.models import ConsentType
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import Patient, PatientPersonManager, Specialist
from apps.profiles.selectors import care
from restartix.kernel import clock
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Ids, Instants, OneOf, Search, Words
from restartix.kernel.roles import STAFF

SEARCH_CHARACTERS = 2


def _matching(rows: Any, text: str) -> QuerySet[Patient]:
    kept: QuerySet[Patient] = rows.matching(text)
    return kept


def _sharing(rows: Any, shared: bool) -> QuerySet[Patient]:  # noqa: FBT001 (a filter's value)
    kept: QuerySet[Patient] = rows.sharing(shared=shared)
    return kept


def _with_account(rows: Any, has_account: bool) -> QuerySet[Patient]:  # noqa: FBT001 (a filter's value)
    kept: QuerySet[Patient] = rows.filter(person__user__isnull=not has_account)
    return kept


def _treated(rows: Any, specialist_ids: list[int]) -> QuerySet[Patient]:
    kept: QuerySet[Patient] = rows.filter(care.treated_by(Specialist.objects.filter(pk__in=specialist_ids)))
    return kept


def _standing(rows: Any, active: bool) -> QuerySet[PatientPersonManager]:  # noqa: FBT001 (a filter's value)
    kept: QuerySet[PatientPersonManager] = rows.standing(active=active, now=clock.now())
    return kept


class _Segments(Ids):
    """Segments, of which no organization has any until there are segments."""

    def one(self, text: str) -> Any:
        """Read an id, and find no segment by it."""
        super().one(text)
        raise serializers.ValidationError("not found")


class PatientFilters(ApiFilterSet):
    """Filters of the list of patients."""

    search = Search(by=_matching, min_length=SEARCH_CHARACTERS)
    segment_id = _Segments(roles=STAFF)
    profile_shared = By(Flag(), _sharing)
    has_account = By(Flag(), _with_account)
    consumer_id = Words(max_length=100)
    specialist_id = By(Ids(), _treated)
    created_at = Instants()


class ConsentFilters(ApiFilterSet):
    """Filters of a patient's consents."""

    type = OneOf(ConsentType)
    status = OneOf(ConsentStatus)


class CaregiverFilters(ApiFilterSet):
    """Filters of a patient's caregivers."""

    active = By(Flag(), _standing)
