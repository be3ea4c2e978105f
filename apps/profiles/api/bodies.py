"""What the operations of profiles take. Source: contract/profiles.md 1.7-1.9; contract/organizations.md 2.1."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.profiles.domain import hours
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body


class SwitchBody(Body):
    """Which organization is to be the current one; null for none."""

    organization_id = fields.Id(allow_null=True)


class LicenseBody(Body):
    """A licence to practise."""

    number = fields.Text(max_length=50)
    issuing_body = fields.Text(max_length=100)
    issued_on = fields.Date(allow_null=True, default=None)
    expires_on = fields.Date(allow_null=True, default=None)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Let it end after it began."""
        if attrs["issued_on"] and attrs["expires_on"] and attrs["expires_on"] <= attrs["issued_on"]:
            raise serializers.ValidationError({"expires_on": ["must be later than issued_on"]})
        return attrs


class SpecialistBody(Body):
    """What may be written of a specialist."""

    examples = {"name": "Dr. Ana Popa", "title": "Physiotherapist", "slug": "ana-popa"}

    name = fields.Text(max_length=200)
    title = fields.Text(max_length=100, allow_null=True, required=False)
    description = fields.Text(max_length=5000, allow_null=True, required=False)
    slug = fields.Slug(required=False)
    user_id = fields.Id(allow_null=True, required=False)
    specialty_ids = fields.ListOf(fields.Id(), max_items=20, unique=True, required=False)
    scheduling_timezone = fields.TimeZone(allow_null=True, required=False)
    scheduling_active = fields.Boolean(required=False)
    license = LicenseBody(allow_null=True, required=False)
    external_reference = fields.Text(max_length=100, allow_null=True, required=False)


#: What specialists write of their own profile.
OWN_FIELDS = frozenset({"title", "description", "scheduling_timezone", "scheduling_active"})
#: What only admins write.
ADMIN_FIELDS = frozenset(SpecialistBody().fields) - OWN_FIELDS


def _wall_time(example: str) -> fields.Pattern:
    expected = "a time of day from 00:00 to 23:59 is expected, like 09:30"
    return fields.Pattern(hours.WALL_TIME.pattern, expected=expected, example=example)


class WeeklyBody(Body):
    """Hours that recur every week: day 0 is Monday; an `end` at or before `start` is the next day's."""

    day = fields.Integer(min_value=0, max_value=6)
    start = _wall_time("09:00")
    end = _wall_time("17:00")


class OverrideBody(Body):
    """An exception from the weekly hours."""

    id = fields.Id(required=False)
    start = fields.Instant(whole_minutes=True)
    end = fields.Instant(whole_minutes=True)
    availability = fields.Boolean()
    appointment_template_id = fields.Id(allow_null=True, default=None)
    note = fields.Text(max_length=200, allow_null=True, default=None)


class AvailabilityBody(Body):
    """The whole document of hours; nothing may be left out."""

    timezone = fields.TimeZone(allow_null=True)
    active = fields.Boolean()
    weekly = fields.ListOf(WeeklyBody(), max_items=hours.WEEKLY_LIMIT)
    overrides = fields.ListOf(OverrideBody(), max_items=hours.OVERRIDES_LIMIT)
    updated_at = fields.Instant(required=False, help_text="Taken so that what GET gave can be sent back; not stored.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Leave out the moment: only the server says when the document changed (contract 5, scenario 9)."""
        attrs.pop("updated_at", None)
        return attrs


class SpecialtyBody(Body):
    """A field of work."""

    examples = {"title": "Knee rehabilitation", "slug": "knee-rehabilitation"}

    title = fields.Text(max_length=120)
    slug = fields.Slug()
