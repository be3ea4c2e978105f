"""Whose file the caller's own is. Source: contract/profiles.md 1.2."""

from __future__ import annotations

from apps.profiles.models import Patient
from restartix.kernel.tenancy import Actor


def own_patient(actor: Actor) -> Patient | None:
    """Return the caller's own file in the active organization, None without one; a caregiver's patients are not own."""
    user_id = actor.on_behalf_of or actor.user_id
    if user_id is None:
        return None
    return Patient.objects.alive().select_related("person").filter(person__user_id=user_id).first()
