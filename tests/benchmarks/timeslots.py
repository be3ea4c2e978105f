"""The public list of free times: fetched, worked out and written, beside the bare sweep over the same people.

The answer reads template, specialists and live claims under row-level security, works the slots out, merges them over
all specialists and writes JSON; the bare sweep (see "Free slots") gets its data for nothing, merges and writes nothing.
The whole request besides finds the template's clinic, counts the rate limit, opens and commits a transaction; it runs
inside this process, without a socket. All find the same times. Goals: the answer for 20 specialists over 30 days with
1,000 busy periods within 3 times the CPU of the bare sweep, 1.5 excellent; the whole request for 200 specialists with
10,000 within 150 ms, 60 excellent.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import slots
from inside import InProcess, counted
from measure import Row, Timing, interleaved
from world import World

TITLE = "Timeslots"
ZONE = "Europe/Bucharest"
CASES = [(20, 1_000), (200, 10_000)]
BARE, ANSWER, REQUEST = "bare sweep", "answer: fetched, worked out, written", "whole request"


@dataclass(frozen=True)
class Clinic:
    """One made-up clinic, in the tables and as the bare sweep knows it."""

    organization: int
    template: int
    people: list[slots.Person]

    @contextmanager
    def entered(self) -> Iterator[Callable[[date], bytes]]:
        """Act for the clinic; yields what fetches, works out and writes the times from a day on."""
        from apps.scheduling.api.public_shapes import timeslots_data
        from apps.scheduling.selectors.booking import timeslots
        from apps.scheduling.selectors.offers import offering
        from restartix.kernel.api.envelope import dumps, one
        from restartix.kernel.tenancy import Actor, acting_for

        def answer(start: date) -> bytes:
            now, last = datetime.now(UTC), start + timedelta(days=slots.DAYS - 1)
            offered = offering(self.template, now=now, public_only=True)
            found = timeslots(offered, first=start, last=last, timezone=ZONE, specialist_id=None, now=now)
            return dumps(one(timeslots_data(found)))

        with acting_for(self.organization, actor=Actor.system("bench")):
            yield answer


def rows(world: World) -> list[Row]:
    """Measure each case; raises AssertionError if the two do not find the same times."""
    world.enter()
    application, table = InProcess(), []
    start = datetime.now(UTC).date() + timedelta(days=2)
    for specialists, busy in CASES:
        clinic = make(specialists, busy, start)
        table += _case(application, clinic, start, f"{specialists} specialists, {slots.DAYS} days, {busy:,} busy")
    return table


def _case(application: InProcess, clinic: Clinic, start: date, case: str) -> list[Row]:
    window = f"from={start}&to={start + timedelta(days=slots.DAYS - 1)}&timezone={ZONE}"
    address = f"/v1/scheduling/timeslots?appointment_template_id={clinic.template}&{window}"

    def request() -> bytes:
        status, body = application("GET", address)
        assert status == 200, body
        return body

    now = int(datetime.now(UTC).timestamp())
    found = {slot["start"]: slot["specialist_ids"] for slot in json.loads(request())["data"]["slots"]}
    assert found == _expected(slots.bare_sweep(clinic.people, start=start, now=now)), "other times than the bare sweep"
    with counted() as statements:
        request()
    targets = {BARE: lambda: slots.bare_sweep(clinic.people, start=start, now=now)}
    with clinic.entered() as answer:
        timings = interleaved({**targets, ANSWER: lambda: answer(start)}, rounds=40)
    timings |= interleaved({**targets, REQUEST: request}, rounds=40)
    told = f"{len(statements)} SQL statements, {len(request()) / 1024:.0f} KiB"
    return _table(f"{case}, {len(found):,} times", timings, told, is_small=len(clinic.people) <= CASES[0][0])


def _table(case: str, timings: dict[str, Timing], told: str, *, is_small: bool) -> list[Row]:
    bare, answer, request = (timings[name] for name in (BARE, ANSWER, REQUEST))
    ratio, whole = answer.cpu_ms / bare.cpu_ms, request.cpu_ms / bare.cpu_ms
    return [
        Row(case, BARE, str(bare), 1.0),
        Row(case, ANSWER, str(answer), ratio, *(("≤ 3x", ratio <= 3) if is_small else ())),
        Row(case, REQUEST, f"{request}, {told}", whole, *(() if is_small else ("≤ 150 ms", request.wall_ms <= 150))),
    ]


def _expected(starts: slots.Starts) -> dict[str, list[int]]:
    """Turn the starts of each specialist into the answer's form."""
    takers: dict[int, list[int]] = {}
    for specialist in sorted(starts):
        for second in starts[specialist]:
            takers.setdefault(second, []).append(specialist)
    return {f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}": takers[second] for second in sorted(takers)}


def make(specialists: int, busy: int, start: date) -> Clinic:
    """Make a clinic with these specialists, a template that all of them give, and appointments in their way."""
    from apps.organizations.services import organizations
    from apps.profiles.models import Patient, Specialist
    from apps.profiles.services import patients
    from apps.scheduling.models import TemplateSpecialist
    from apps.scheduling.services import templates
    from restartix.kernel.tenancy import Actor, acting_for, outside_organizations

    by = Actor.system("bench")
    people = slots.staff(specialists, 0, start=start)
    with outside_organizations(actor=by):
        organization = organizations.create(
            by=by, name="Bench", slug=f"demo-bench-{uuid.uuid4().hex[:8]}", timezone=ZONE
        )
    with acting_for(organization.pk, actor=by):
        template = templates.create(
            by=by, name="Bench", duration_minutes=slots.DURATION // 60, gap_minutes=slots.AFTER // 60, is_public=True,
            slot_step_minutes=slots.STEP // 60, min_notice_minutes=slots.NOTICE // 60, horizon_days=365,
        )  # fmt: skip
        rows_of = Specialist.objects.bulk_create(_specialist(person) for person in people)
        offers = (TemplateSpecialist(template=template, specialist=row, priority=1) for row in rows_of)
        TemplateSpecialist.objects.bulk_create(offers)
        patient: Patient = patients.register(by=by, person={"name": "Ana Bench"})
    for person, row in zip(people, rows_of, strict=True):
        person["id"] = row.pk
    _make_busy(people, busy // specialists, start)
    _copy_appointments(organization.pk, patient.pk, people)
    return Clinic(organization.pk, template.pk, people)


def _specialist(person: slots.Person) -> Any:
    from apps.profiles.models import Specialist

    person["tz"] = ZONE
    weekly = [
        {"day": day, "start": _clock(opens), "end": _clock(closes)}
        for day, spans in person["hours"].items()
        for opens, closes in spans
    ]
    overrides = [
        {
            "id": number,
            "start": _utc(each.start),
            "end": _utc(each.end),
            "availability": each.available,
            "appointment_template_id": None,
            "note": None,
        }
        for number, each in enumerate(slots.calendar_of(person).overrides)
    ]
    name = f"Specialist {person['id']}"
    return Specialist(
        name=name, slug=f"specialist-{person['id']}", scheduling_timezone=ZONE, scheduling_active=True, weekly=weekly,
        overrides=overrides,
    )  # fmt: skip


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _utc(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _make_busy(people: list[slots.Person], share: int, start: date) -> None:
    """Give everybody so many busy periods that do not overlap, as the exclusion constraint wants them."""
    dice, base = random.Random(2), int(datetime.combine(start, time(), UTC).timestamp())
    for person in people:
        taken: list[tuple[int, int]] = []
        while len(taken) < share:
            begin = base + dice.randrange(slots.DAYS * 96) * 900
            end = begin + dice.choice([1_200, 1_800, 2_700, 3_600])
            if all(end + slots.BEFORE <= other or until + slots.BEFORE <= begin for other, until in taken):
                taken.append((begin, end))
        person["busy"] = sorted(taken)


def _copy_appointments(organization: int, patient: int, people: list[slots.Person]) -> None:
    """Copy an upcoming appointment and its claim for every busy period."""
    from apps.scheduling.management.demo.copying import Table, take_ids, triggers_set_aside
    from apps.scheduling.models import Appointment, Claim
    from restartix.kernel import clock

    fixed = {
        "organization_id": organization, "patient_id": patient, "title": "Bench", "status": "upcoming",
        "source": "staff", "mode": "in_person", "currency": "RON", "timezone": ZONE, "locale": "ro",
        "gap_minutes": slots.BEFORE // 60,
        "created_at": clock.now(), "updated_at": clock.now(),
    }  # fmt: skip
    periods = [(person["id"], begin, end) for person in people for begin, end in person["busy"]]
    with triggers_set_aside([Appointment, Claim]) as cursor:
        keys, claims = (take_ids(cursor, model, len(periods)) for model in (Appointment, Claim))
        Table(Appointment, ["id", "uid", "specialist_id", "started_at", "ended_at"], **fixed).load(
            cursor,
            (
                (key, uuid.uuid4(), who, _utc(begin), _utc(end))
                for key, (who, begin, end) in zip(keys, periods, strict=True)
            ),
        )
        columns = ["id", "specialist_id", "starts_at", "ends_at", "appointment_id"]
        Table(Claim, columns, organization_id=organization).load(
            cursor,
            (
                (claim, who, _utc(begin), _utc(end + slots.BEFORE), key)
                for claim, key, (who, begin, end) in zip(claims, keys, periods, strict=True)
            ),
        )
