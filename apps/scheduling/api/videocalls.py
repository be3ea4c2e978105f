"""Coming into the video room of an appointment. Source: contract/scheduling.md 4 row 8."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from apps.profiles.api.of_patient import name_the_patient
from apps.scheduling.api.appointments import AppointmentResource
from apps.scheduling.domain.rooms import Part
from apps.scheduling.errors import NotVideo, RoomNotReady, TooEarly, TooLate
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments, joining
from restartix.kernel.api import fields
from restartix.kernel.api.operations import operation
from restartix.kernel.api.serializers import Representation
from restartix.kernel.errors import Forbidden, InvalidTransition, Unavailable
from restartix.kernel.roles import MEMBERS


class JoinedShape(Representation):
    """What opens the room for the caller: open `room_url` with `?t=` and the token, which is for the caller alone."""

    examples = {
        "room_url": "https://clinic.daily.co/restartix-7-41",
        "token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJyIjoicmVzdGFydGl4LTctNDEifQ.c2lnbmF0dXJl",
        "role": "participant",
    }

    room_url = serializers.CharField()
    token = serializers.CharField()
    role = fields.Choice([str(part) for part in Part])
    expires_at = fields.Instant()


class Videocalls(AppointmentResource):
    """The video room of an appointment."""

    may: ClassVar = {"join": MEMBERS}

    def permit(self) -> None:
        """Admit the assigned specialist, the patient, and caregivers who manage; the desk has no part in a session."""
        if appointments.is_assigned(self.row, self.actor):
            return
        if not self.as_patient(self.row):
            raise Forbidden
        name_the_patient(self, self.row.patient)

    @operation(
        returns=JoinedShape,
        is_kept=False,
        errors=(NotVideo, InvalidTransition, TooEarly, TooLate, RoomNotReady, Unavailable),
    )
    def join(self, row: Appointment) -> Any:
        """Get what opens the video room, for the caller alone and until the appointment ends."""
        part = Part.OWNER if appointments.is_assigned(row, self.actor) else Part.PARTICIPANT
        return joining.join(row, part=part, by=self.actor)
