"""Fields of time: moments with an offset, days, times of day (RFC 3339, ISO 8601)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Any

from restartix.kernel.api.fields.base import FIRST_YEAR, LAST_YEAR, StrictField

_RFC_3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


class Instant(StrictField):
    """A moment by RFC 3339, offset included; kept in UTC."""

    def __init__(self, *, whole_minutes: bool = False, **kwargs: Any) -> None:
        """Take any moment of the years 1900 to 2200, or only those on a full minute."""
        self.whole_minutes = whole_minutes
        super().__init__(**kwargs)

    def read(self, data: Any) -> Any:
        """Return the moment in UTC."""
        moment = instant(data)
        if moment is None:
            return self.refuse("an instant with its offset is expected, like 2026-12-01T09:00:00Z")
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            self.refuse(f"a year from {FIRST_YEAR} to {LAST_YEAR} is expected")
        if self.whole_minutes and (moment.second or moment.microsecond):
            self.refuse("a full minute is expected: seconds must be 00")
        return moment

    def to_representation(self, value: Any) -> Any:
        """Write it in UTC with `Z`."""
        return value


def instant(data: Any) -> datetime | None:
    """Read RFC 3339 with an offset; None for anything else, leap seconds and days out of the calendar included."""
    matched = _RFC_3339.fullmatch(data) if isinstance(data, str) else None
    if matched is None:
        return None
    day, clock, fraction, offset = matched.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset.upper()}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class Date(StrictField):
    """A day, `YYYY-MM-DD`."""

    _form = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

    def read(self, data: Any) -> Any:
        """Return the day."""
        day = self.parse(data)
        if day is None:
            return self.refuse("a date is expected, like 2026-12-01")
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.refuse(f"a year from {FIRST_YEAR} to {LAST_YEAR} is expected")
        return day

    @classmethod
    def parse(cls, data: Any) -> date | None:
        """Read a day; None for anything else."""
        if not isinstance(data, str) or not cls._form.fullmatch(data):
            return None
        try:
            return date.fromisoformat(data)
        except ValueError:
            return None


class TimeOfDay(StrictField):
    """A local time of day, `HH:MM`, from 00:00 to 23:59."""

    _form = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)

    def read(self, data: Any) -> Any:
        """Return the time."""
        if isinstance(data, str) and self._form.fullmatch(data):
            return time.fromisoformat(data)
        return self.refuse("a time of day is expected, like 09:30")

    def to_representation(self, value: Any) -> Any:
        """Write hours and minutes."""
        return value.strftime("%H:%M") if isinstance(value, time) else value
