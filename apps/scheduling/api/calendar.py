"""The calendar over HTTP: a month in numbers, a week in appointments. Source: contract/scheduling.md 3.2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework import serializers

from apps.scheduling.api.appointments import AppointmentResource, today
from apps.scheduling.api.calendar_shapes import CalendarShape
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors import calendar
from apps.scheduling.selectors.calendar import Range, Tally
from apps.scheduling.selectors.offers import local_date
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.operations import Operation, operation
from restartix.kernel.api.serializers import Query
from restartix.kernel.roles import MEMBERS, Role

MONTH, WEEK = "month", "week"
#: Whom and what the calendar may be narrowed to: parameter → column.
_FILTERS = {
    "specialist_id": "specialist_id",
    "patient_id": "patient_id",
    "appointment_template_id": "appointment_template_id",
    "status": "status",
}


def _ids() -> serializers.Field:
    return fields.ListOf(fields.Id(), required=False)


class CalendarQuery(Query):
    """Which range of whose appointments; `date` is any day in it."""

    view = fields.Choice((MONTH, WEEK), required=False)
    date = fields.Date(required=False)
    timezone = fields.TimeZone(required=False)
    specialist_id = _ids()
    patient_id = _ids()
    appointment_template_id = _ids()
    status = fields.ListOf(fields.Choice(AppointmentStatus), required=False)


class Calendar(AppointmentResource):
    """Calendar: the appointments of a month or a week by their local days."""

    tag = "Appointments"
    may: ClassVar = {"read": MEMBERS}

    @operation(query=CalendarQuery, returns=CalendarShape)
    def read(self, query: Mapping[str, Any]) -> Any:
        """Get a month in numbers, or a week with its appointments."""
        view, timezone = query.get("view", MONTH), query.get("timezone") or self._timezone()
        day = query.get("date") or local_date(clock.now(), timezone)
        rows = self._narrowed_rows(query)
        period = Range.week(day, timezone) if view == WEEK else Range.month(day, timezone)
        days = self._weekdays(rows, period) if view == WEEK else _month_days(rows, period)
        return {
            "view": view,
            "range": {"start": period.first, "end": period.last},
            "timezone": timezone,
            "days": list(days),
        }

    def represent(self, value: Any, operation: Operation) -> Any:
        """Return what was written by hand: a busy week has two thousand appointments."""
        return value

    def _timezone(self) -> str:
        return self.organization.timezone if self.organization else "UTC"

    def _narrowed_rows(self, query: Mapping[str, Any]) -> QuerySet[Appointment]:
        wanted = {f"{column}__in": query[name] for name, column in _FILTERS.items() if name in query}
        patients = query.get("patient_id", ())
        if len(patients) == 1:
            self.note_reading(None, patients[0])
        return Appointment.objects.visible_to(self.actor, today=today(self)).filter(**wanted)

    def _weekdays(self, rows: QuerySet[Appointment], period: Range) -> Iterable[dict[str, Any]]:
        for_staff = self.actor.effective_role != Role.PATIENT
        for day, entries in calendar.entries(rows, period).items():
            yield {"date": day, "appointments": [_entry(each, for_staff=for_staff) for each in entries]}


def _month_days(rows: QuerySet[Appointment], period: Range) -> Iterable[dict[str, Any]]:
    return (_numbers(day, tally) for day, tally in calendar.tallies(rows, period).items())


def _numbers(day: date, tally: Tally) -> dict[str, Any]:
    return {
        "date": day,
        "total": tally.total,
        "by_status": tally.by_status,
        "first_start": tally.first_start,
        "last_end": tally.last_end,
    }


def _entry(row: Mapping[str, Any], *, for_staff: bool) -> dict[str, Any]:
    """Write one appointment of a week; the contact is for staff."""
    entry = {
        "id": row["pk"],
        "uid": str(row["uid"]),
        "title": row["title"],
        "status": row["status"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "mode": row["mode"],
        "specialist": {"id": row["specialist_id"], "name": row["specialist_name"]},
        "patient": row["patient_key"] and {"id": row["patient_key"], "name": row["patient_name"]},
        "template": row["appointment_template_id"]
        and {"id": row["appointment_template_id"], "name": row["template_name"], "color": row["template_color"]},
    }
    return {**entry, "contact_name": row["contact_name"]} if for_staff else entry
