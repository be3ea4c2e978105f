"""The demo clinics as clinics.json and people.json describe them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast
from zoneinfo import ZoneInfo

#: Every demo clinic is known by the beginning of its slug; nothing else is ever changed or removed.
SLUG_PREFIX = "demo-"
PATIENTS_DOMAIN, BULK_DOMAIN = "posta.example", "large.example"


class HoursPlan(TypedDict):
    """Blocks of wall-clock time on some weekdays, 0 = Monday."""

    days: list[int]
    hours: list[list[str]]


class OverridePlan(TypedDict):
    """Another day than usual, so many weeks from the present one: with other `hours`, or off."""

    weekday: int
    weeks: int
    note: str
    hours: NotRequired[list[list[str]]]


class LicensePlan(TypedDict):
    """A licence that is still valid for some days."""

    number: str
    issuing_body: str
    valid_for_days: int


class PersonPlan(TypedDict):
    """Somebody with a login."""

    name: str
    email: str


class StaffPlan(PersonPlan):
    """Somebody who works at the desk."""

    role: str


class SpecialistPlan(PersonPlan):
    """Somebody who treats."""

    slug: str
    title: str
    specialties: list[str]
    weekly: list[HoursPlan]
    description: NotRequired[str]
    license: NotRequired[LicensePlan]
    overrides: NotRequired[list[OverridePlan]]


class SpecialtyPlan(TypedDict):
    """A field of work."""

    slug: str
    title: str


class TemplatePlan(TypedDict):
    """What can be booked; `specialists` in order of priority."""

    slug: str
    name: str
    duration_minutes: int
    gap_minutes: int
    price: str | None
    mode: str
    color: str
    specialty: str
    specialists: list[str]
    description: NotRequired[str]
    is_public: NotRequired[bool]


class ClinicPlan(TypedDict):
    """One clinic with everything in it; `patients` and `accounts` are numbers."""

    slug: str
    name: str
    tagline: str
    email: str
    phone: str
    website: str | None
    location: str
    address: dict[str, Any]
    primary_color: str
    secondary_color: str
    timezone: str
    patients: int
    accounts: int
    specialties: list[SpecialtyPlan]
    staff: list[StaffPlan]
    specialists: list[SpecialistPlan]
    templates: list[TemplatePlan]


class Plan(TypedDict):
    """All demo clinics, the superadmin above them, and the password of every demo login."""

    password: str
    superadmin: PersonPlan
    clinics: list[ClinicPlan]


class People(TypedDict):
    """What patients are made of."""

    female: list[str]
    male: list[str]
    last: list[str]
    female_occupations: list[str]
    male_occupations: list[str]
    conditions: list[str]
    allergies: list[str]
    blood_types: list[str]
    notes: list[str]
    patient_notes: list[str]
    staff_reasons: list[str]
    patient_reasons: list[str]


@cache
def plan() -> Plan:
    """Return the clinics to make."""
    return cast("Plan", _read("clinics.json"))


@cache
def people() -> People:
    """Return names and what is said about people."""
    return cast("People", _read("people.json"))


def _read(name: str) -> Any:
    return json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def weekly_document(hours: list[HoursPlan]) -> list[dict[str, Any]]:
    """Return the weekly hours as a specialist's row keeps them (contract/profiles.md 1.8)."""
    blocks = [
        {"day": day, "start": start, "end": end}
        for each in hours
        for day in each["days"]
        for start, end in each["hours"]
    ]
    return sorted(blocks, key=lambda block: (block["day"], block["start"]))


def override_documents(overrides: list[OverridePlan], *, today: date, timezone: str) -> list[dict[str, Any]]:
    """Return the exceptions of the weeks around `today`."""
    documents: list[dict[str, Any]] = []
    for each in overrides:
        day = today - timedelta(days=today.weekday()) + timedelta(weeks=each["weeks"], days=each["weekday"])
        spans = each.get("hours") or [["00:00", "24:00"]]
        documents.extend(
            {
                "start": instant(day, start, timezone),
                "end": instant(day, end, timezone),
                "availability": "hours" in each,
                "note": each["note"],
            }
            for start, end in spans
        )
    return documents


def instant(day: date, wall_time: str, timezone: str) -> datetime:
    """Return the instant at which a clock in `timezone` shows that time on that day; `24:00` is the next midnight."""
    if wall_time == "24:00":
        day, wall_time = day + timedelta(days=1), "00:00"
    return datetime.combine(day, time.fromisoformat(wall_time), ZoneInfo(timezone)).astimezone(UTC)
