"""Free slots beside the bare sweep: the shortest Python that merges busy intervals and walks over each day's hours.

The bare sweep knows one opening time a day, no night shifts and no template: it is what the slots would cost without
the rules of the contract. Both must find the same starts. Goals: the whole answer, merged over all specialists, within
1.5 times the CPU of the bare sweep for 20 specialists over 30 days with 1,000 busy periods, and within 60 ms for 200
specialists with 10,000.
"""

from __future__ import annotations

import importlib.util
import os
import random
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from measure import Row, interleaved
from world import World

from apps.scheduling.domain import slots, zones
from apps.scheduling.domain.slots import Calendar, Offer, Override, WeeklyBlock

TITLE = "Free slots"
ZONES = ["Europe/Bucharest", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]
START, DAYS = date(2026, 10, 15), 30  # crosses the European and the American clock change
DURATION, STEP, BEFORE, AFTER, NOTICE = 1_800, 900, 300, 600, 7_200  # seconds
NOW = int(datetime(2026, 10, 15, 6, tzinfo=UTC).timestamp())
CASES = [(20, 1_000), (200, 10_000)]

Person = dict[str, Any]
Starts = dict[int, list[int]]


def rows(world: World) -> list[Row]:
    """Measure each case; raises AssertionError if the two do not find the same starts. Needs no server."""
    return [row for specialists, busy in CASES for row in _case(specialists, busy)]


def _case(specialists: int, busy: int) -> list[Row]:
    people = staff(specialists, busy)
    calendars = [calendar_of(person) for person in people]
    offer = Offer(1, DURATION, AFTER, STEP, NOTICE, 365 * zones.DAY)
    sweep = external_sweep() or bare_sweep
    check(people, calendars, offer, sweep)
    low, high = zones.span("UTC", START - timedelta(1), START + timedelta(DAYS))  # all that the zones call these days

    def answer() -> object:
        return slots.merge(calendars, offer, window_start=low, window_end=high, now=NOW)

    def starts() -> object:
        return [slots.open_starts(each, offer, window_start=low, window_end=high, now=NOW) for each in calendars]

    def answer_anew() -> object:
        slots._grids_of_days.cache_clear()
        return answer()

    targets: dict[str, Callable[[], object]] = {
        "bare sweep": lambda: sweep(people),
        "starts of each specialist": starts,
        "answer with hours worked out anew": answer_anew,
        "answer, merged by start": answer,
    }
    timings = interleaved(targets, rounds=40 if busy <= 1_000 else 10)
    bare = timings["bare sweep"].cpu_ms
    found = sum(map(len, sweep(people).values()))
    case = f"{specialists} specialists, {DAYS} days, {busy:,} busy, {found:,} free"
    table = []
    for target, timing in timings.items():
        ratio, goal, is_met = timing.cpu_ms / bare, "", None
        if target == "answer, merged by start":
            goal, is_met = ("≤ 1.5x", ratio <= 1.5) if busy <= 1_000 else ("≤ 60 ms", timing.wall_ms <= 60)
        table.append(Row(case, target, str(timing), ratio, goal, is_met))
    return table


def check(
    people: list[Person], calendars: list[Calendar], offer: Offer, sweep: Callable[[list[Person]], Starts]
) -> None:
    """Compare the starts of both, each specialist over the days of their own zone."""
    expected = sweep(people)
    for calendar in calendars:
        low, high = zones.span(calendar.timezone, START, START + timedelta(DAYS - 1))
        found = slots.open_starts(calendar, offer, window_start=low, window_end=high, now=NOW)
        assert found == expected[calendar.specialist_id], f"specialist {calendar.specialist_id}"


def staff(specialists: int, busy: int, *, seed: int = 1, start: date = START) -> list[Person]:
    """Return made-up specialists: weekly hours with a lunch break, three exceptions each, busy periods at random."""
    dice = random.Random(seed)
    people: list[Person] = []
    for i in range(specialists):
        hours = {
            day: [(480 + dice.choice([0, 30, 60]), 720), (780, 1_020 + dice.choice([0, 30, 60]))] for day in range(5)
        }
        hours[5] = [(540, 720)] if dice.random() < 0.3 else []
        hours[6] = []
        over: dict[date, list[tuple[int, int]]] = {}
        for _ in range(3):
            day = start + timedelta(days=dice.randrange(DAYS))
            over[day] = [] if dice.random() < 0.5 else [(600, 900)]
        people.append({"id": i + 1, "tz": ZONES[i % 4], "hours": hours, "over": over, "busy": []})
    base = int(datetime.combine(start, time(), UTC).timestamp())
    for _ in range(busy):
        begin = base + dice.randrange(DAYS * 96) * 900 + dice.choice([0, 0, 0, 420])
        person = people[dice.randrange(specialists)]
        person["busy"].append((begin, begin + dice.choice([1_200, 1_800, 2_700, 3_600])))
    return people


def calendar_of(person: Person) -> Calendar:
    """Return the same specialist as our arithmetic reads them; the time kept free before a slot is added to busy."""
    overrides = []
    for day, spans in person["over"].items():
        midnight, _ = zones.span(person["tz"], day, day)
        if not spans:
            overrides.append(Override(midnight + 36_000, midnight + 39_600, available=False))
        for start, end in spans:
            instants = (epoch(person["tz"], day, minute) for minute in (start, end))
            overrides.append(Override(*instants, available=True))
    weekly = tuple(WeeklyBlock(day, *span) for day, spans in person["hours"].items() for span in spans)
    busy = [(start, end + BEFORE) for start, end in person["busy"]]
    return Calendar(person["id"], person["tz"], weekly, tuple(overrides), busy)


known_days: dict[tuple[str, date], tuple[int, bool, ZoneInfo]] = {}


def epoch(timezone: str, day: date, minute: int) -> int:
    """Return local midnight plus minutes; remembers, for each zone and date, whether the clock changes on it."""
    known = known_days.get((timezone, day))
    if known is None:
        zone = ZoneInfo(timezone)
        first, last = (datetime.combine(day, each, zone).timestamp() for each in (time(0), time(23, 59)))
        known = known_days[timezone, day] = (int(first), int(last) - int(first) == 86_340, zone)
    if known[1]:
        return known[0] + minute * 60
    return int(datetime.combine(day, time(minute // 60, minute % 60), known[2]).timestamp())


def bare_sweep(people: list[Person], *, start: date = START, now: int = NOW) -> Starts:
    """Return the free starts of each specialist."""
    out: Starts = {}
    first = now + NOTICE
    days = [(start + timedelta(days=k), (start + timedelta(days=k)).weekday()) for k in range(DAYS)]
    for person in people:
        starts: list[int] = []
        merged: list[list[int]] = []
        for begin, end in sorted(person["busy"]):
            left, right = begin - DURATION - AFTER, end + BEFORE
            if merged and left < merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], right)
            else:
                merged.append([left, right])
        i, n = 0, len(merged)
        zone, over, hours = person["tz"], person["over"], person["hours"]
        for day, weekday in days:
            for opens, closes in over.get(day, hours[weekday]):
                t, last = epoch(zone, day, opens), epoch(zone, day, closes) - DURATION
                if t < first:
                    t += -(-(first - t) // STEP) * STEP
                while t <= last:
                    while i < n and merged[i][1] <= t:
                        i += 1
                    if i < n and merged[i][0] < t:
                        t += -(-(merged[i][1] - t) // STEP) * STEP
                        continue
                    limit = min(last, merged[i][0]) if i < n else last
                    count = (limit - t) // STEP + 1
                    starts.extend(range(t, t + count * STEP, STEP))
                    t += count * STEP
        out[person["id"]] = starts
    return out


def external_sweep() -> Callable[[list[Person]], Starts] | None:
    """Return the function `sweep` of the file that SLOTS_BASELINE names, to measure beside somebody else's code."""
    path = os.environ.get("SLOTS_BASELINE")
    if not path:
        return None
    for name in ("numpy", "orjson"):  # imported there for other variants
        sys.modules.setdefault(name, ModuleType(name))
    spec = importlib.util.spec_from_file_location("slots_baseline", Path(path))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sweep: Callable[[list[Person]], Starts] = module.sweep
    return sweep
