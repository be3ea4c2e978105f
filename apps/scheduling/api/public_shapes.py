"""What the public operations of scheduling give. Source: contract/scheduling.md 1.5, 3.4, 4."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from rest_framework import serializers

from apps.organizations.api.shapes import AddressShape
from apps.profiles.models import Specialist
from apps.scheduling.domain.zones import DAY, EPOCH_ORDINAL, TIMES, stamps
from apps.scheduling.lifecycles import AppointmentStatus, HoldStatus
from apps.scheduling.models import AppointmentTemplate, Hold
from apps.scheduling.models.templates import Mode
from apps.scheduling.selectors import booking
from apps.scheduling.services import holds
from restartix.environment import env
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation


def avatar_url(specialist: Specialist) -> str | None:
    """Return the public address of the specialist's picture."""
    return f"{env.public_url}/v1/public/images/{specialist.avatar}" if specialist.avatar else None


class OfferedSpecialist(Representation):
    """A specialist as the public sees one."""

    examples = {"name": "Dr. Ana Popa", "title": "Physiotherapist"}

    specialist_id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    avatar_url = serializers.SerializerMethodField()

    def get_avatar_url(self, specialist: Specialist) -> str | None:
        """Return the public address of the picture."""
        return avatar_url(specialist)


class Slot(Representation):
    """A free start, with the specialists who can take it by priority, then id."""

    examples = {"specialist_ids": [5]}

    start = fields.Instant()
    end = fields.Instant()
    local_date = fields.Date()
    local_time = serializers.CharField()
    utc_offset = serializers.CharField()
    specialist_ids = serializers.ListField(child=serializers.IntegerField())


class TimeslotsShape(Representation):
    """The free times of a template in a window."""

    appointment_template_id = serializers.IntegerField()
    timezone = serializers.CharField()
    from_ = fields.Date()
    to = fields.Date()
    duration_minutes = serializers.IntegerField()
    slots = Slot(many=True)
    specialists = OfferedSpecialist(many=True)


class HoldShape(Representation):
    """A slot kept for one visitor."""

    hold_id = fields.Uuid()
    status = serializers.SerializerMethodField()
    appointment_template_id = serializers.IntegerField(source="template_id")
    specialist_id = serializers.IntegerField()
    start = fields.Instant(source="started_at")
    end = fields.Instant(source="ended_at")
    created_at = fields.Instant()
    expires_at = fields.Instant()
    max_expires_at = fields.Instant()
    lease_seconds = serializers.SerializerMethodField()

    def get_status(self, hold: Hold) -> HoldStatus:
        """Return the status that everybody is shown now."""
        return hold.status_at(clock.now())

    def get_lease_seconds(self, hold: Hold) -> int:
        """Return how far a renewal reaches."""
        return holds.terms().lease


class NewHoldShape(HoldShape):
    """A new hold; the token is shown this once."""

    hold_token = serializers.CharField(source="token")


class BookedTemplate(Representation):
    """The service that was booked."""

    examples = {"name": "First consultation"}

    appointment_template_id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class BookedOrganization(Representation):
    """The clinic that was booked at."""

    examples = {"name": "Clinica Sud", "email": "office@clinica-sud.example", "phone": "+40268555000"}

    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    address = AddressShape(allow_null=True)


class BookingView(Representation):
    """An appointment as whoever has the manage token sees it: no integer id but the two that are public."""

    examples = {"mode": "in_person"}

    uid = fields.Uuid()
    status = fields.Choice(AppointmentStatus)
    title = serializers.CharField()
    started_at = fields.Instant()
    ended_at = fields.Instant()
    timezone = serializers.CharField()
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    specialist = OfferedSpecialist()
    appointment_template = BookedTemplate()
    organization = BookedOrganization()
    cancel_until = fields.Instant()


class BookingConfirmation(BookingView):
    """A booking, with the token that manages it."""

    manage_token = serializers.CharField()


class OfferedTemplate(Representation):
    """A service that the public may book."""

    examples = {"name": "First consultation", "mode": "in_person"}

    appointment_template_id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    specialty = serializers.CharField(source="specialty.title", default=None, allow_null=True)
    duration_minutes = serializers.IntegerField()
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    color = serializers.CharField()
    cancel_cutoff_hours = serializers.IntegerField()
    specialists = serializers.SerializerMethodField()

    def get_specialists(self, template: AppointmentTemplate) -> list[OfferedSpecialist]:
        """Return who can be booked for it, by priority, then id."""
        return list(OfferedSpecialist(booking.providers_of(template), many=True).data)


def timeslots_data(found: Any) -> Mapping[str, Any]:
    """Return the answer of timeslots; written by hand, for a page holds thousands of slots."""
    template = found.offering.template
    duration = template.duration_minutes * 60
    return {
        "appointment_template_id": template.pk,
        "timezone": found.timezone,
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "duration_minutes": template.duration_minutes,
        "slots": [_slot(_times(start, duration, found.timezone), takers) for start, takers in found.slots],
        "specialists": [_offered(provider.specialist) for provider in found.providers],
    }


def _offered(specialist: Specialist) -> dict[str, Any]:
    """Return what `OfferedSpecialist` gives."""
    return {
        "specialist_id": specialist.pk,
        "name": specialist.name,
        "title": specialist.title,
        "avatar_url": avatar_url(specialist),
    }


def _slot(times: tuple[str, str, str, str, str], takers: tuple[int, ...]) -> dict[str, Any]:
    start, end, local_date, local_time, offset = times
    return {
        "start": start,
        "end": end,
        "local_date": local_date,
        "local_time": local_time,
        "utc_offset": offset,
        "specialist_ids": takers,
    }


@lru_cache(maxsize=65_536)
def _times(start: int, duration: int, timezone: str) -> tuple[str, str, str, str, str]:
    """Return start and end, and the start's date, time and offset on a wall clock.

    Remembered, for the next page shows the same times.
    """
    (local,) = stamps(timezone, [start])
    return _utc(start), _utc(start + duration), *local


def _utc(instant: int) -> str:
    """Return the instant as the API writes it."""
    days, second = divmod(instant, DAY)
    return f"{date.fromordinal(EPOCH_ORDINAL + days)}T{TIMES[second // 60]}:{second % 60:02d}Z"
