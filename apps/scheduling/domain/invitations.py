"""Appointments as calendar entries: iCalendar (RFC 5545) for e-mails, downloads and feeds.

The library folds lines at 75 octets, ends them with CRLF and escapes text. An entry carries no contact data, no notes
and no room address. Source: contract/scheduling.md section 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import icalendar

PRODUCT = "-//RestartiX//Appointments//EN"
STATUS = {
    "booked": "TENTATIVE",
    "upcoming": "TENTATIVE",
    "confirmed": "CONFIRMED",
    "inprogress": "CONFIRMED",
    "done": "CONFIRMED",
    "cancelled": "CANCELLED",
    "noshow": "CANCELLED",
}
# RFC 5545 allows no control character in a text but these two; a carriage return becomes part of a line break.
CONTROLS = dict.fromkeys(code for code in (*range(32), 127) if chr(code) not in "\t\n\r")


@dataclass(frozen=True, slots=True)
class Entry:
    """One appointment as a calendar shows it; `status` is the appointment's, `changed_at` its last change."""

    uid: str
    title: str
    status: str
    started_at: datetime
    ended_at: datetime
    changed_at: datetime
    reschedule_count: int
    organizer_name: str
    organizer_email: str | None
    location: str | None = None

    @property
    def sequence(self) -> int:
        """The revision of the entry: calendars keep the highest they have seen."""
        return self.reschedule_count + (STATUS[self.status] == "CANCELLED")


def calendar_of(entries: Iterable[Entry]) -> bytes:
    """Return one iCalendar object that publishes the entries, UTF-8; equal entries give equal bytes."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for entry in entries:
        calendar.add_component(_event(entry))
    rendered: bytes = calendar.to_ical()
    return rendered


def _event(entry: Entry) -> icalendar.Event:
    event = icalendar.Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("dtstart", entry.started_at.astimezone(UTC))
    event.add("dtend", entry.ended_at.astimezone(UTC))
    event.add("sequence", entry.sequence)
    event.add("status", STATUS[entry.status])
    event.add("summary", _text(entry.title))
    if entry.location:
        event.add("location", _text(entry.location))
    if entry.organizer_email:
        event.add("organizer", _organizer(entry.organizer_name, entry.organizer_email))
    return event


def _organizer(name: str, email: str) -> icalendar.vCalAddress:
    address = icalendar.vCalAddress(f"mailto:{email}")
    address.params["cn"] = _text(name)
    return address


def _text(value: str) -> str:
    return value.translate(CONTROLS)
