"""Visits of the benchmarks' data set: ten months back and one ahead, in the order of time as life writes them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from typing import Any

from psycopg import Cursor

from apps.scheduling.management.demo.copying import NULL, Table, take_ids
from apps.scheduling.models import Appointment, Claim

PAST_DAYS, COMING_DAYS = 300, 30
#: Half-hours a day, from 06:00 UTC on.
SLOTS_A_DAY = 16
MINUTES = 30
#: Status of visits that are over and of those to come: how many of a hundred.
OVER = ("done",) * 80 + ("cancelled",) * 12 + ("noshow",) * 8
COMING = ("upcoming",) * 45 + ("confirmed",) * 35 + ("booked",) * 12 + ("cancelled",) * 8
TITLES = ("Evaluare inițială", "Ședință de kinetoterapie", "Masaj terapeutic", "Control")
NOTES = "Evoluție bună, fără durere în repaus."

VARYING = (
    "id", "organization_id", "uid", "title", "status", "started_at", "ended_at", "specialist_id", "patient_id",
    "appointment_template_id", "contact_name", "contact_email", "notes", "confirmed_at", "session_started_at",
    "session_ended_at", "cancelled_at", "cancel_actor", "cancel_reason_code", "cancelled_late", "created_at",
    "updated_at",
)  # fmt: skip
CLAIM = ("id", "organization_id", "specialist_id", "starts_at", "ends_at", "appointment_id")


class Visits:
    """Makes and loads the visits of all specialists."""

    def __init__(
        self,
        dice: random.Random,
        *,
        now: datetime,
        organizations: Sequence[int],
        specialists: Sequence[int],
        patients: Sequence[int],
        templates: Sequence[int],
    ) -> None:
        """Take the keys of everything that visits point to; each clinic has an equal share of them."""
        self.dice, self.now = dice, now
        self.organizations, self.specialists = organizations, specialists
        self.patients, self.templates = patients, templates
        self.first_day = datetime.combine(now.date() - timedelta(days=PAST_DAYS), time(6), UTC)

    def load(self, cursor: Cursor[Any], count: int, *, chunks: int) -> Iterator[None]:
        """Load `count` visits and the claims of those that are active, yielding after each of `chunks` parts."""
        table = Table(
            Appointment,
            VARYING,
            source="staff",
            mode="in_person",
            location="Sala 2",
            price="150.00",
            currency="RON",
            timezone="Europe/Bucharest",
            locale="ro",
        )
        places, keys = iter(self._places(count)), iter(take_ids(cursor, Appointment, count))
        claims: list[tuple[Any, ...]] = []
        for _ in range(chunks):
            part = islice(places, -(-count // chunks))
            table.load(cursor, (self._row(next(keys), slot, specialist, claims) for slot, specialist in part))
            yield
        numbered = zip(take_ids(cursor, Claim, len(claims)), claims, strict=True)
        Table(Claim, CLAIM).load(cursor, ((key, *claim) for key, claim in numbered))

    def _places(self, count: int) -> list[tuple[int, int]]:
        """Return (half-hour, specialist's place) of each visit in the order of time; no specialist has two at once."""
        slots = (PAST_DAYS + COMING_DAYS) * SLOTS_A_DAY
        share, rest = divmod(count, len(self.specialists))
        if share + bool(rest) > slots:
            raise ValueError(f"at most {slots} visits a specialist")
        return sorted(
            (slot, place)
            for place in range(len(self.specialists))
            for slot in self.dice.sample(range(slots), share + (place < rest))
        )

    def _row(self, key: int, slot: int, place: int, claims: list[tuple[Any, ...]]) -> tuple[Any, ...]:
        day, half_hour = divmod(slot, SLOTS_A_DAY)
        start = self.first_day + timedelta(days=day, minutes=half_hour * MINUTES)
        end = start + timedelta(minutes=MINUTES)
        status = self.dice.choice(OVER if end <= self.now else COMING)
        clinic = place * len(self.organizations) // len(self.specialists)
        organization, specialist = self.organizations[clinic], self.specialists[place]
        started_at, ended_at = start.isoformat(), end.isoformat()
        if status in ("booked", "upcoming", "confirmed"):
            claims.append((organization, specialist, started_at, ended_at, key))
        made_at = (start - timedelta(days=9)).isoformat()
        return (
            key, organization, uuid.UUID(int=self.dice.getrandbits(128), version=4), TITLES[key % len(TITLES)], status,
            started_at, ended_at, specialist, *self._whose(clinic, status), *self._what_happened(status, start, end),
            made_at, made_at,
        )  # fmt: skip

    def _whose(self, clinic: int, status: str) -> tuple[Any, Any, str, str]:
        """Return patient, template, contact's name and e-mail."""
        template = self.templates[clinic * len(self.templates) // len(self.organizations)]
        if status == "booked":
            return NULL, template, "Maria Ionescu", "maria.ionescu@posta.example"
        share = len(self.patients) // len(self.organizations)
        return self.patients[clinic * share + self.dice.randrange(share)], template, NULL, NULL

    def _what_happened(self, status: str, start: datetime, end: datetime) -> tuple[str, ...]:
        """Return notes, the moments of confirmation and session, and the cancellation."""
        if status == "done":
            return NOTES, NULL, start.isoformat(), end.isoformat(), NULL, NULL, NULL, NULL
        if status == "confirmed":
            confirmed_at = min(start - timedelta(days=1), self.now).isoformat()
            return NULL, confirmed_at, NULL, NULL, NULL, NULL, NULL, NULL
        if status == "cancelled":
            cancelled_at = (start - timedelta(days=2)).isoformat()
            return NULL, NULL, NULL, NULL, cancelled_at, "patient", "patient_request", "f"
        return (NULL,) * 8
