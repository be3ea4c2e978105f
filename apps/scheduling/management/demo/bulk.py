"""The benchmarks' data set: many clinics with years of visits, loaded with COPY by the owner of the tables.

Triggers are set aside while it loads (no audit row each), so the rows have to be what the triggers would have let pass:
active visits lie side by side and have exactly one claim each, the others none. Foreign keys, checks and the exclusion
constraint stay in force.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connections, models
from psycopg import Cursor

from apps.organizations.models import Membership, Organization, User
from apps.profiles.models import Patient, PatientPerson, Specialist, SpecialistSpecialty, Specialty
from apps.scheduling.management.demo.copying import Table, encoded, take_ids, triggers_set_aside
from apps.scheduling.management.demo.plan import (
    BULK_DOMAIN,
    PATIENTS_DOMAIN,
    SLUG_PREFIX,
    HoursPlan,
    people,
    plan,
    weekly_document,
)
from apps.scheduling.management.demo.visits_in_bulk import Visits
from apps.scheduling.models import Appointment, AppointmentTemplate, Claim, TemplateSpecialist
from restartix.kernel import clock
from restartix.kernel.crypto import keyed_hash

SLUG = f"{SLUG_PREFIX}large-"
TABLES: tuple[type[models.Model], ...] = (
    Organization, User, Membership, Specialty, Specialist, SpecialistSpecialty, AppointmentTemplate, TemplateSpecialist,
    PatientPerson, Patient, Appointment, Claim,
)  # fmt: skip
#: What a clinic offers: minutes each.
DURATIONS = (30, 30, 20)
WEEKLY: list[HoursPlan] = [{"days": [0, 1, 2, 3, 4], "hours": [["08:00", "16:00"]]}]


@dataclass(frozen=True, slots=True)
class Size:
    """How much to load; specialists and patients are spread evenly over the clinics, appointments over specialists."""

    clinics: int = 200
    specialists: int = 2_000
    patients: int = 100_000
    appointments: int = 500_000

    @classmethod
    def of(cls, appointments: int) -> Size:
        """Return a size with so many appointments and everything else in the usual proportion."""
        clinics = max(2, appointments // 2_500)
        return cls(clinics, clinics * 10, clinics * 500, appointments)

    @property
    def steps(self) -> int:
        """How many steps `load` reports."""
        return 4 + CHUNKS + 1


CHUNKS = 20


def is_loaded() -> bool:
    """Say whether the data set, whatever its size, is there already."""
    return Organization.objects.filter(slug__startswith=SLUG).exists()


def load(size: Size, *, seed: int = 1) -> Iterator[str]:
    """Load the data set in one transaction, yielding the name of each step that is done; vacuum at the end."""
    loading = _Loading(size, random.Random(seed))
    with triggers_set_aside(TABLES) as cursor:
        yield from loading.run(cursor)
    with connections["owner"].cursor() as cursor:
        for model in TABLES:
            cursor.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
    yield "vacuum"


class _Loading:
    """One load: the keys that it took, and the rows made of them."""

    def __init__(self, size: Size, dice: random.Random) -> None:
        self.size, self.dice = size, dice
        self.now = clock.now()
        self.per_clinic = size.specialists // size.clinics
        self.organizations = self.users = self.specialists = self.templates = self.patients = range(0)

    def run(self, cursor: Cursor[Any]) -> Iterator[str]:
        """Load table by table."""
        self._load_clinics(cursor)
        yield "clinics"
        self._load_specialists(cursor)
        yield "specialists"
        self._load_templates(cursor)
        yield "templates"
        self._load_patients(cursor)
        yield "patients"
        visits = Visits(
            self.dice,
            now=self.now,
            organizations=self.organizations,
            specialists=self.specialists,
            patients=self.patients,
            templates=self.templates,
        )
        for _ in visits.load(cursor, self.size.appointments, chunks=CHUNKS):
            yield "appointments"

    def _load_clinics(self, cursor: Cursor[Any]) -> None:
        count = self.size.clinics
        self.organizations = take_ids(cursor, Organization, count)
        self.users = take_ids(cursor, User, count)
        numbers = range(1, count + 1)
        Table(Organization, ["id", "name", "slug"], created_at=self.now, updated_at=self.now).load(
            cursor,
            ((key, f"Clinica {n:03d}", f"{SLUG}{n:03d}") for key, n in zip(self.organizations, numbers, strict=True)),
        )
        stamps = {"created_at": self.now, "updated_at": self.now}
        columns = ["id", "email", "name", "clerk_user_id", "current_organization_id"]
        Table(User, columns, password=make_password(plan()["password"]), confirmed=True, **stamps).load(
            cursor,
            (
                (user, f"admin-{n:03d}@{BULK_DOMAIN}", f"Admin {n:03d}", f"dev_{user}", organization)
                for user, organization, n in zip(self.users, self.organizations, numbers, strict=True)
            ),
        )
        members = zip(take_ids(cursor, Membership, count), self.organizations, self.users, strict=True)
        Table(Membership, ["id", "organization_id", "user_id"], role="admin", **stamps).load(cursor, members)

    def _load_specialists(self, cursor: Cursor[Any]) -> None:
        stamps = {"created_at": self.now, "updated_at": self.now}
        specialties = take_ids(cursor, Specialty, self.size.clinics)
        Table(Specialty, ["id", "organization_id"], title="Kinetoterapie", slug="kinetoterapie", **stamps).load(
            cursor, zip(specialties, self.organizations, strict=True)
        )
        self.specialists = take_ids(cursor, Specialist, self.per_clinic * self.size.clinics)
        table = Table(
            Specialist,
            ["id", "organization_id", "name", "slug"],
            title="Kinetoterapeut",
            scheduling_timezone="Europe/Bucharest",
            scheduling_active=True,
            weekly=weekly_document(WEEKLY),
            **stamps,
        )
        table.load(cursor, ((key, self._clinic(key), self._name(), f"specialist-{key}") for key in self.specialists))
        links = take_ids(cursor, SpecialistSpecialty, len(self.specialists))
        Table(SpecialistSpecialty, ["id", "organization_id", "specialist_id", "specialty_id"]).load(
            cursor,
            (
                (link, self._clinic(key), key, specialties[(key - self.specialists[0]) // self.per_clinic])
                for link, key in zip(links, self.specialists, strict=True)
            ),
        )

    def _load_templates(self, cursor: Cursor[Any]) -> None:
        self.templates = take_ids(cursor, AppointmentTemplate, len(DURATIONS) * self.size.clinics)
        table = Table(
            AppointmentTemplate,
            ["id", "organization_id", "name", "slug", "duration_minutes"],
            price="150.00",
            currency="RON",
            mode="in_person",
            is_public=True,
            created_at=self.now,
            updated_at=self.now,
        )
        offered = [
            (
                self.templates[place * len(DURATIONS) + n],
                organization,
                f"Serviciul {n + 1}",
                f"serviciul-{n + 1}",
                minutes,
            )
            for place, organization in enumerate(self.organizations)
            for n, minutes in enumerate(DURATIONS)
        ]
        table.load(cursor, offered)
        pairs = [(template[0], key) for template in offered for key in self._specialists_of(template[1])]
        offers = take_ids(cursor, TemplateSpecialist, len(pairs))
        Table(TemplateSpecialist, ["id", "organization_id", "template_id", "specialist_id"], priority=1).load(
            cursor, ((offer, self._clinic(pair[1]), *pair) for offer, pair in zip(offers, pairs, strict=True))
        )

    def _load_patients(self, cursor: Cursor[Any]) -> None:
        each = self.size.patients // self.size.clinics
        self.patients = take_ids(cursor, Patient, each * self.size.clinics)
        persons = take_ids(cursor, PatientPerson, len(self.patients))
        since = [self.now - timedelta(minutes=self.dice.randrange(900 * 1440)) for _ in persons]
        columns = ["id", "registered_by_id", "name", "email", "date_of_birth", "sex", "phone_hash", "created_at"]
        Table(PatientPerson, columns, updated_at=self.now).load(
            cursor,
            (
                (key, self.organizations[n // each], *self._person(key), since[n].isoformat())
                for n, key in enumerate(persons)
            ),
        )
        Table(Patient, ["id", "organization_id", "person_id", "consumer_id", "created_at"], updated_at=self.now).load(
            cursor,
            (
                (key, self.organizations[n // each], persons[n], f"P-{n % each:05d}", since[n].isoformat())
                for n, key in enumerate(self.patients)
            ),
        )
        cursor.execute("SELECT profiles_find_missing()")  # its triggers are set aside as well

    def _person(self, key: int) -> tuple[str, str, str, str, str]:
        born = (
            datetime.combine(self.now.date(), time(), UTC) - timedelta(days=self.dice.randrange(6_000, 31_000))
        ).date()
        phone = f"+407{key % 10**8:08d}"
        sex = "female" if self.dice.random() < 0.6 else "male"
        return (
            self._name(),
            f"pacient-{key}@{PATIENTS_DOMAIN}",
            str(born),
            sex,
            encoded(keyed_hash(phone, purpose="phone")),
        )

    def _name(self) -> str:
        words = people()
        return f"{self.dice.choice(words['female'])} {self.dice.choice(words['last'])}"

    def _clinic(self, specialist: int) -> int:
        return self.organizations[(specialist - self.specialists[0]) // self.per_clinic]

    def _specialists_of(self, organization: int) -> range:
        first = (organization - self.organizations[0]) * self.per_clinic
        return self.specialists[first : first + self.per_clinic]
