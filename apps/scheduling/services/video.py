"""The provider of video rooms: what we ask of it, and which one serves a clinic.

A clinic with a key for Daily has its rooms there, with its own account; without one the stand-in serves. Every method
waits for the network, so nobody calls it inside a transaction. Source: contract/scheduling.md 1.2 (Rooms).
"""

from __future__ import annotations

from typing import Protocol

from apps.organizations.models import ApiKey
from apps.organizations.models.keys import Service
from apps.organizations.services import keys
from apps.scheduling.domain.rooms import Guest, Wanted
from apps.scheduling.models import Appointment
from apps.scheduling.services import stand_in
from apps.scheduling.services.daily import Daily


class Provider(Protocol):
    """Whoever keeps rooms. Each method may be repeated, and raises ProviderFailed when it was not done for sure."""

    def keep(self, room: Wanted, *, may_exist: bool) -> str:
        """Make the room, or change the one that is there to what is wanted; return its address."""

    def remove(self, name: str) -> None:
        """Remove the room, and everybody from it; one that is not there is as good."""

    def admit(self, guest: Guest) -> str:
        """Return a token, for this person alone, that opens the room until its end."""


def provider_for(appointment: Appointment) -> Provider:
    """Return the provider of the active organization, for a room of this appointment of its own."""
    secret = keys.secret_of(Service.DAILY)
    return Daily(secret) if secret else stand_in.StandIn(stand_in.address_of(appointment))


def key_of_clinic() -> ApiKey | None:
    """Return the active organization's key for the provider, None where the stand-in serves."""
    found: ApiKey | None = ApiKey.objects.filter(service=Service.DAILY).first()
    return found
