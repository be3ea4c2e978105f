"""The search of patients at the desk, among 50,000 of one clinic, beside what it is measured against.

200 searches as people type them: parts of names with and without accents, two words, parts of e-mails, four to ten
digits of a phone; half of the patients share their profile, another clinic has 50,000 more. Each runs under row-level
security as the application role, in a transaction of its own, and gives the eight best. Beside it: the list of the API
(25 rows and the total), one read of the same rows by LIKE in bare SQL without row-level security, and the same search
without copies, over the persons themselves. Goal: the 95th percentile of the search at the desk under 150 ms.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
from measure import Row
from world import World, say

TITLE = "Searching patients"
PATIENTS, SEARCHES, GOAL_MS = 50_000, 200, 150
DESK, API, BARE, WITHOUT = (
    "the desk: eight best",
    "the API's list: 25 and the total",
    "bare SQL: one read by LIKE",
    "without copies: the persons themselves",
)
_BARE = """
SELECT patient_id FROM profiles_patientsearch
 WHERE organization_id = %s AND (open_words LIKE %s OR gated_words LIKE %s) ORDER BY open_words LIMIT 8
"""


def rows(world: World) -> list[Row]:
    """Load two clinics and search the first; raises AssertionError if a patient who is there is not found."""
    world.enter()
    clinics = [_clinic(number) for number in (1, 2)]
    names = _load(clinics)
    searches = _searches(names)
    with psycopg.connect(world.variables["DATABASE_PLATFORM_URL"], autocommit=True) as bare:
        targets: dict[str, Callable[[str], object]] = {
            DESK: _within(clinics[0], _best),
            API: _within(clinics[0], _listed),
            BARE: lambda text: bare.execute(_BARE, [clinics[0], *[f"%{text}%"] * 2]).fetchall(),
            WITHOUT: _within(clinics[0], _without_copies),
        }
        _check(targets[DESK], names)
        taken: dict[str, list[float]] = {name: [] for name in targets}
        for number, text in enumerate(searches):
            say(f"search {number + 1} of {SEARCHES}: {text}")
            for name, target in targets.items():
                if name != WITHOUT or number % 10 == 0:
                    taken[name].append(_milliseconds(target, text))
    return _table({name: values[1:] for name, values in taken.items()})


def _clinic(number: int) -> int:
    from apps.organizations.services import organizations
    from restartix.kernel.tenancy import Actor, outside_organizations

    system = Actor.system("benchmark")
    with outside_organizations(actor=system):
        return organizations.create(by=system, slug=f"search-{number}", name=f"Search {number}").pk


def _load(clinics: list[int]) -> list[tuple[str, str]]:
    """Load the patients of all clinics, mixed; return name and phone of those of the first who share."""
    from django.db import connections

    from apps.profiles.models import ConsentRecord, Patient, PatientPerson, PatientSearch
    from apps.scheduling.management.demo.copying import Table, encoded, take_ids, triggers_set_aside
    from restartix.kernel import grams

    dice, now, sharing = random.Random(7), datetime.now(UTC), []
    sealed: Any = PatientPerson._meta.get_field("phone")
    with triggers_set_aside([PatientPerson, Patient, ConsentRecord]) as cursor:
        count = PATIENTS * len(clinics)
        people, files = take_ids(cursor, PatientPerson, count), take_ids(cursor, Patient, count)
        made = [(_name(dice), f"+407{dice.randrange(10**8):08d}") for _ in people]
        place = [clinics[n % len(clinics)] for n in range(count)]
        stamps = {"created_at": now, "updated_at": now}
        Table(PatientPerson, ["id", "registered_by_id", "name", "email", "phone", "phone_grams"], **stamps).load(
            cursor,
            (
                (key, place[n], made[n][0], f"{made[n][0].split()[0].lower()}.{key}@mail.example",
                 encoded(sealed.get_prep_value(made[n][1])),
                 _array(grams.buckets_of(made[n][1][1:])))
                for n, key in enumerate(people)
            ),
        )  # fmt: skip
        Table(Patient, ["id", "organization_id", "person_id"], **stamps).load(
            cursor, ((key, place[n], people[n]) for n, key in enumerate(files))
        )
        shared = [n for n in range(count) if dice.random() < 0.5]
        consents = take_ids(cursor, ConsentRecord, len(shared))
        Table(
            ConsentRecord,
            ["id", "organization_id", "patient_id"],
            type="profile_sharing",
            method="paper",
            policy_version="1",
            status="active",
            granted_at=now,
        ).load(cursor, ((key, place[n], files[n]) for key, n in zip(consents, shared, strict=True)))
        cursor.execute("SELECT profiles_find_missing()")
        sharing = [made[n] for n in shared if n % len(clinics) == 0]
    with connections["owner"].cursor() as wrapped:
        for model in (PatientPerson, Patient, ConsentRecord, PatientSearch):
            wrapped.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
    return sharing


def _array(numbers: list[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _name(dice: random.Random) -> str:
    """Return a name that half the clinic does not share: the demo's names, the last one spun out."""
    from apps.scheduling.management.demo.plan import people

    words = people()
    ending = dice.choice(["", "u", "escu", "eanu", "an", "aș", "ița", "oiu"])
    last = f"{dice.choice(words['last'])[: dice.randrange(3, 9)]}{ending}"
    return f"{last} {dice.choice(words[dice.choice(['female', 'male'])])}"


def _searches(names: list[tuple[str, str]]) -> list[str]:
    dice = random.Random(11)
    kinds: list[Callable[[str, str], str]] = [
        lambda name, _phone: name[: dice.randrange(2, 6)],
        lambda name, _phone: "tar",
        lambda name, _phone: " ".join(reversed(name.split())).lower()[:8],
        lambda name, _phone: name.split()[0][1:5].upper(),
        lambda _name, phone: phone[-dice.randrange(4, 9) :],
        lambda _name, phone: f"0{phone[3:]}"[: dice.randrange(4, 10)],
        lambda name, _phone: f"{name.split()[0].lower()}.{dice.randrange(1000)}",
        lambda _name, _phone: dice.choice(["an", "mail.ex", "escu", "qx", "ion pop", "zzzz"]),
    ]
    return [kinds[n % len(kinds)](*dice.choice(names)) for n in range(SEARCHES)]


def _within(organization: int, search: Callable[[str], object]) -> Callable[[str], object]:
    from restartix.kernel.tenancy import Actor, acting_for

    def run(text: str) -> object:
        with acting_for(organization, actor=Actor.system("benchmark")):
            return search(text)

    return run


def _best(text: str) -> list[str]:
    from apps.profiles.selectors.search import best

    return [row.person.name for row in best(text, limit=8)]


def _listed(text: str) -> object:
    from apps.profiles.models import Patient

    found = Patient.objects.alive().matching(text)
    return found.count(), list(found.order_by("-created_at", "-id")[:25])


def _without_copies(text: str) -> object:
    from apps.profiles.models import Patient

    return list(Patient.objects.alive().filter(person__name__unaccent__icontains=text).order_by("person__name")[:8])


def _check(search: Callable[[str], Any], names: list[tuple[str, str]]) -> None:
    for name, phone in names[:20]:
        assert name in search(phone[-9:]), f"{name} is not found by phone"
        assert name in search(name), f"{name} is not found by name"


def _milliseconds(target: Callable[[str], object], text: str) -> float:
    begun = time.perf_counter()
    target(text)
    return (time.perf_counter() - begun) * 1e3


def _table(taken: dict[str, list[float]]) -> list[Row]:
    floor = statistics.median(taken[BARE])
    made = []
    for name, values in taken.items():
        p50, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        goal, met = (f"p95 < {GOAL_MS} ms", p95 < GOAL_MS) if name == DESK else ("", None)
        made.append(Row(f"{PATIENTS:,} patients", name, f"p50 {p50:.1f} ms, p95 {p95:.1f} ms", p50 / floor, goal, met))
    return made
