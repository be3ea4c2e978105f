"""Acts that need the patient in person. Source: contract/profiles.md 1.6."""

from __future__ import annotations

from collections.abc import Collection

from apps.organizations.errors import Impersonating
from restartix.kernel.tenancy import Actor

#: What nobody writes of a person in that person's stead.
PERSONAL = frozenset({"email", "phone", "emergency_contact_phone"})


def refuse_impersonated(by: Actor) -> None:
    """Raise Impersonating (403) if somebody else acts as the patient."""
    if by.impersonation_id is not None:
        raise Impersonating


def refuse_impersonated_writing(fields: Collection[str], *, by: Actor) -> None:
    """Raise Impersonating (403) if somebody else acts as the patient and one of the person's `fields` is personal."""
    if not PERSONAL.isdisjoint(fields):
        refuse_impersonated(by)
