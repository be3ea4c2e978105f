"""Impersonations as they stand, and how soon the next one may begin. Source: contract/profiles.md 1.6, 2.1."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet

from apps.profiles.models import Impersonation, Patient
from restartix.kernel import clock
from restartix.kernel.errors import RateLimited
from restartix.kernel.tenancy import Actor

#: So many may one person begin within the window, over all patients and clinics.
PACE, WINDOW = 3, timedelta(minutes=5)


def check_pace(actor: Actor) -> None:
    """Raise RateLimited (429) if the actor has begun as many impersonations as the window allows."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT profiles_impersonations_since(%s, %s)", [actor.user_id, now - WINDOW])
        moments = [moment for (moment,) in cursor.fetchall()]
    if len(moments) >= PACE:
        wait = (moments[-PACE] + WINDOW - now).total_seconds()
        raise RateLimited(headers={"Retry-After": str(max(math.ceil(wait), 1))})


def of_patient(patient: Patient) -> QuerySet[Impersonation]:
    """Return the patient's impersonations with what an answer shows of them."""
    return Impersonation.objects.filter(patient=patient).select_related("actor")


def running(*, actor_id: int | None = None) -> QuerySet[Impersonation]:
    """Return those of the scope that go on, the oldest first; of one member of staff if `actor_id` is given."""
    rows = Impersonation.objects.filter(ended_at=None, expires_at__gt=clock.now())
    rows = rows.select_related("actor", "patient__person").order_by("started_at", "pk")
    return rows if actor_id is None else rows.filter(actor_id=actor_id)
