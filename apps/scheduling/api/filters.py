"""How scheduling's lists are narrowed. Source: contract/scheduling.md 3."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models.appointments import Source
from apps.scheduling.models.templates import Mode
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Ids, Instants, OneOf, Search
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import current_actor


def _search(queryset: QuerySet[Any], text: str) -> QuerySet[Any]:
    """Look into title and patient's name; staff also into the contact's name and e-mail."""
    anywhere = Q(title__icontains=text) | Q(patient__person__name__icontains=text)
    if current_actor().effective_role != Role.PATIENT:
        anywhere |= Q(contact_name__icontains=text) | Q(contact_email__icontains=text)
    return queryset.filter(anywhere)


class AppointmentFilters(ApiFilterSet):
    """Filters of the list of appointments."""

    status = OneOf(AppointmentStatus)
    specialist_id = Ids()
    patient_id = Ids()
    appointment_template_id = Ids()
    specialty_id = Ids()
    source = OneOf(Source)
    mode = OneOf(Mode)
    started_at = Instants()
    ended_at = Instants()
    created_at = Instants()
    search = Search(by=_search)


class TemplateFilters(ApiFilterSet):
    """Filters of the list of appointment templates."""

    specialty_id = Ids()
    specialist_id = By(Ids(), lambda queryset, ids: queryset.filter(offers__specialist_id__in=ids).distinct())
    is_public = Flag()
    is_active = Flag()
    mode = OneOf(Mode)
    search = Search("name", "description")
