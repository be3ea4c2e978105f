"""Whom a specialist treats. Appointments lie above this app, so the app that keeps them says it when it starts.

Source: contract/profiles.md 1.1 (linked patients), 2.1 (`specialist_id`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet

from apps.profiles.models import Patient, Specialist
from restartix.kernel.tenancy import Actor

#: Takes specialists, gives the ids of the patients who have an appointment with one of them.
Treated = Callable[[QuerySet[Specialist]], QuerySet[Any]]

_sources: list[Treated] = []


def is_told_by(source: Treated) -> None:
    """Let `source` say who has an appointment, neither cancelled nor deleted, with given specialists."""
    if source not in _sources:
        _sources.append(source)


def treated_by(specialists: QuerySet[Specialist]) -> Q:
    """Return, as a condition on patients, that one of the specialists has an appointment with them."""
    condition = Q(pk__in=[])
    for source in _sources:
        condition |= Q(pk__in=source(specialists))
    return condition


def is_linked(patient: Patient, actor: Actor) -> bool:
    """Say whether the caller is a specialist here whom the patient has an appointment with."""
    own = Specialist.objects.alive().filter(user_id=actor.user_id or 0)
    return Patient.objects.filter(treated_by(own), pk=patient.pk).exists()
