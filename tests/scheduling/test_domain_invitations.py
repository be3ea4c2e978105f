"""Appointments as iCalendar: contract/scheduling.md section 4 and scenario 16."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.scheduling.domain.invitations import Entry, calendar_of

ENTRY = Entry(
    uid="8b0e6c1e-2f0c-4a57-9d0e-6a4b7f6f2d11",
    title="First consultation",
    status="booked",
    started_at=datetime(2026, 12, 7, 7, tzinfo=UTC),
    ended_at=datetime(2026, 12, 7, 7, 50, tzinfo=UTC),
    changed_at=datetime(2026, 12, 1, 10, 0, 5, tzinfo=UTC),
    reschedule_count=0,
    organizer_name="Clinica Ana",
    organizer_email="office@ana.example",
)


def lines(entry: Entry) -> list[str]:
    """The unfolded lines."""
    return calendar_of([entry]).decode().replace("\r\n ", "").split("\r\n")


def event(entry: Entry) -> icalendar.Event:
    return icalendar.Calendar.from_ical(calendar_of([entry])).walk("VEVENT")[0]


def test_one_event_says_what_when_and_by_whom():
    assert lines(ENTRY) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//RestartiX//Appointments//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        "SUMMARY:First consultation",
        "DTSTART:20261207T070000Z",
        "DTEND:20261207T075000Z",
        "DTSTAMP:20261201T100005Z",
        "UID:8b0e6c1e-2f0c-4a57-9d0e-6a4b7f6f2d11",
        "SEQUENCE:0",
        'ORGANIZER;CN="Clinica Ana":mailto:office@ana.example',
        "STATUS:TENTATIVE",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_instants_of_any_offset_are_written_in_utc():
    eastern = timezone(timedelta(hours=2))
    moved = replace(ENTRY, started_at=ENTRY.started_at.astimezone(eastern), ended_at=ENTRY.ended_at.astimezone(eastern))

    assert calendar_of([moved]) == calendar_of([ENTRY])


@pytest.mark.parametrize(
    ("status", "shown", "sequence"),
    [
        ("booked", "TENTATIVE", 2),
        ("upcoming", "TENTATIVE", 2),
        ("confirmed", "CONFIRMED", 2),
        ("inprogress", "CONFIRMED", 2),
        ("done", "CONFIRMED", 2),
        ("cancelled", "CANCELLED", 3),
        ("noshow", "CANCELLED", 3),
    ],
)
def test_status_and_sequence_follow_the_appointment(status, shown, sequence):
    found = event(replace(ENTRY, status=status, reschedule_count=2))

    assert (found["STATUS"], found["SEQUENCE"]) == (shown, sequence)


def test_special_characters_of_a_title_are_escaped():
    assert "SUMMARY:A\\; B\\, C\\n" in lines(replace(ENTRY, title="A; B, C\n"))


def test_a_location_is_written_when_there_is_one():
    assert event(replace(ENTRY, location="Str. Lungă 5, Cluj"))["LOCATION"] == "Str. Lungă 5, Cluj"
    assert "LOCATION" not in event(ENTRY)


def test_a_clinic_without_an_address_organizes_nothing():
    assert "ORGANIZER" not in event(replace(ENTRY, organizer_email=None))


def test_several_appointments_make_one_calendar():
    rendered = calendar_of([ENTRY, replace(ENTRY, uid="other")])

    assert len(icalendar.Calendar.from_ical(rendered).walk("VEVENT")) == 2


def test_control_characters_do_not_reach_the_calendar():
    entry = replace(ENTRY, title="A\0B\x1b\r\nX-FORGED:1", organizer_name="Ana\x07\r\nX-FORGED:1")

    assert str(event(entry)["SUMMARY"]) == "AB\nX-FORGED:1"
    assert not [line for line in lines(entry) if line.startswith("X-FORGED")]


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), min_size=1, max_size=200)


@given(title=TEXT, location=TEXT, name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120))
def test_any_text_survives_folding_and_escaping(title, location, name):
    rendered = calendar_of([replace(ENTRY, title=title, location=location, organizer_name=name)])
    found = icalendar.Calendar.from_ical(rendered).walk("VEVENT")[0]

    assert (str(found["SUMMARY"]), str(found["LOCATION"])) == (title, location)
    assert all(len(line) <= 75 for line in rendered.split(b"\r\n"))
    assert b"\n" not in rendered.replace(b"\r\n", b"")
    assert b"\r" not in rendered.replace(b"\r\n", b"")
