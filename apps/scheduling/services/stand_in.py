"""The stand-in for a video provider: rooms that are a page of our own, which says what it stands for.

It serves clinics that have no key, so that booking, joining and every test go their way without an account elsewhere.
It keeps the promises that a page can keep: the room is private, its tokens are personal and end with the appointment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse

from apps.scheduling.domain.rooms import Guest, Part, Wanted
from apps.scheduling.models import Appointment
from restartix.kernel import clock

_SALT = "restartix.video-room"


@dataclass(frozen=True, slots=True)
class StandIn:
    """Keeps nothing: the room at `address` is there as long as its tokens are good."""

    address: str

    def keep(self, room: Wanted, *, may_exist: bool) -> str:
        """Return the room's address."""
        return self.address

    def remove(self, name: str) -> None:
        """Do nothing: the page asks the appointment."""

    def admit(self, guest: Guest) -> str:
        """Return a signed token that says who comes in, as what, until when."""
        claims = {
            "room": guest.room,
            "name": guest.called,
            "part": str(guest.part),
            "exp": int(guest.ends_at.timestamp()),
            "records": guest.records,
        }
        return signing.dumps(claims, salt=_SALT)


def address_of(appointment: Appointment) -> str:
    """Return where the stand-in shows the room of an appointment."""
    path = reverse("booking:video", args=[appointment.organization.slug, appointment.uid])
    return f"{settings.PUBLIC_URL}{path}"


def read(token: str, *, room: str) -> Guest | None:
    """Return whom the token admits to the room, None if it is none, of another room, or over."""
    try:
        claims: Any = signing.loads(token, salt=_SALT)
        ends_at = datetime.fromtimestamp(claims["exp"], UTC)
        guest = Guest(claims["room"], claims["name"], Part(claims["part"]), ends_at, records=bool(claims["records"]))
    except (signing.BadSignature, LookupError, TypeError, ValueError):
        return None
    return guest if guest.room == room and guest.ends_at > clock.now() else None
