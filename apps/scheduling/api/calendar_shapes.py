"""What the calendar gives: days of numbers, or days of appointments. Source: contract/scheduling.md 3.2."""

from __future__ import annotations

from rest_framework import serializers

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models.templates import Mode
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation


class CalendarRange(Representation):
    """The first and the last day, both included."""

    start = fields.Date()
    end = fields.Date()


class NamedRow(Representation):
    """Somebody by id and name."""

    id = fields.Id()
    name = serializers.CharField()


class CalendarTemplate(NamedRow):
    """The template of an appointment in the calendar."""

    examples = {"name": "First consultation"}

    color = serializers.CharField()


class CalendarEntry(Representation):
    """An appointment in the calendar; `contact_name` is for staff only."""

    withheld = ("contact_name",)
    examples = {"contact_name": None}

    id = fields.Id()
    uid = fields.Uuid()
    title = serializers.CharField()
    status = fields.Choice(AppointmentStatus)
    started_at = fields.Instant()
    ended_at = fields.Instant()
    mode = fields.Choice(Mode)
    specialist = NamedRow()
    patient = NamedRow(allow_null=True)
    contact_name = serializers.CharField(allow_null=True)
    template = CalendarTemplate(allow_null=True)


class StatusCounts(Representation):
    """How many appointments have each status."""

    booked = serializers.IntegerField()
    upcoming = serializers.IntegerField()
    confirmed = serializers.IntegerField()
    inprogress = serializers.IntegerField()
    done = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    noshow = serializers.IntegerField()


class CalendarDay(Representation):
    """One day: numbers in a month, where cancelled ones do not count for `total`, and appointments in a week."""

    withheld = ("total", "by_status", "first_start", "last_end", "appointments")

    date = fields.Date()
    total = serializers.IntegerField()
    by_status = StatusCounts()
    first_start = fields.Instant(allow_null=True)
    last_end = fields.Instant(allow_null=True)
    appointments = CalendarEntry(many=True)


class CalendarShape(Representation):
    """A month or a week, every day of it, empty ones included."""

    view = fields.Choice(("month", "week"))
    range = CalendarRange()
    timezone = serializers.CharField()
    days = CalendarDay(many=True)
