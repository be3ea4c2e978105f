"""Patients of a demo clinic: made-up people, some with a login, one of them a child whom the first one cares for.

They are written in bulk: a hundred registrations through the service would take as long as everything else together.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from apps.organizations.models import ConsentType, Organization, User
from apps.profiles.models import ConsentRecord, Patient, PatientPerson, PatientPersonManager
from apps.scheduling.management.demo import accounts
from apps.scheduling.management.demo.plan import PATIENTS_DOMAIN, ClinicPlan, People, people
from restartix.kernel import clock, grams, slugs
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.tenancy import Actor

#: The first patients have a login; the one after them is a child of the first.
REQUIRED = (ConsentType.PRIVACY_POLICY, ConsentType.TELEREHAB_CONSENT)


def register_all(plan: ClinicPlan, organization: Organization, *, admin: User, by: Actor, password: str) -> None:
    """Write the clinic's patients with their consents; the caller acts for the clinic."""
    dice = random.Random(f"{plan['slug']}/patients")
    today = organization.today(clock.now())
    persons = [
        PatientPerson(registered_by=organization, **fields)
        for fields in _made_up(dice, today, count=plan["patients"], adults=plan["accounts"])
    ]
    with_login = persons[: plan["accounts"]]
    users = [_account(person, by=by, password=password) for person in with_login]
    for person, user in zip(with_login, users, strict=True):
        person.user = user
    _make_a_child(persons[len(with_login)], of=persons[0], today=today, dice=dice)
    PatientPerson.objects.bulk_create(persons)
    patients = Patient.objects.bulk_create(
        Patient(person=person, consumer_id=f"P-{number:04d}", created_at=person.created_at)
        for number, person in enumerate(persons, start=1)
    )
    ConsentRecord.objects.bulk_create(consent for patient in patients for consent in _consents(patient, admin, dice))
    PatientPersonManager.objects.create(
        patient=patients[len(with_login)],
        user=users[0],
        relation="parent",
        permissions="manage",
        valid_from=today - timedelta(days=120),
        created_by=admin,
    )


def _made_up(dice: random.Random, today: date, *, count: int, adults: int) -> Iterator[dict[str, Any]]:
    """Yield the columns of so many people with different names, the first `adults` of them grown up."""
    words, seen = people(), set[str]()
    while len(seen) < count:
        sex = dice.choice(["female", "female", "male"])
        first = dice.choice(words["female"] if sex == "female" else words["male"])
        name = f"{first} {dice.choice(words['last'])}"
        if name not in seen:
            jobs = words["female_occupations"] if sex == "female" else words["male_occupations"]
            yield {"name": name, "sex": sex, **_rest(dice, words, name, today, jobs, adult=len(seen) < adults)}
            seen.add(name)


def _rest(
    dice: random.Random, words: People, name: str, today: date, jobs: list[str], *, adult: bool
) -> dict[str, Any]:
    age = dice.randint(25, 60) if adult else dice.choice([dice.randint(7, 17), *[dice.randint(18, 84)] * 9])
    born = today.replace(day=1) - timedelta(days=age * 365 + dice.randint(40, 320))
    phone = f"+407{dice.randint(20, 79)}{dice.randrange(1_000_000):06d}"
    noon = datetime.combine(today, time(12), UTC)
    return {
        "email": f"{slugs.slugify(name, fallback='pacient').replace('-', '.')}@{PATIENTS_DOMAIN}",
        "date_of_birth": born,
        "phone": phone,
        "phone_hash": keyed_hash(phone, purpose="phone"),
        "phone_grams": grams.buckets_of(grams.digits_of(phone)),
        "occupation": dice.choice(jobs) if age >= 18 else None,
        "residence": dice.choice(["București", "Cluj-Napoca", "Iași", "Ploiești", "Turda", "Pașcani"]),
        "blood_type": dice.choice([*words["blood_types"], None]),
        "allergies": dice.sample(words["allergies"], dice.choice([0, 0, 0, 1])),
        "chronic_conditions": dice.sample(words["conditions"], dice.choice([0, 1, 1, 2])),
        "created_at": noon - timedelta(days=dice.randint(20, 500), minutes=dice.randint(0, 240)),
    }


def _make_a_child(person: PatientPerson, *, of: PatientPerson, today: date, dice: random.Random) -> None:
    person.name = f"{person.name.split()[0]} {of.name.split()[-1]}"
    person.email = None
    person.occupation = None
    person.date_of_birth = today.replace(day=1) - timedelta(days=365 * dice.randint(8, 14))
    person.emergency_contact_name, person.emergency_contact_phone = of.name, of.phone


def _account(person: PatientPerson, *, by: Actor, password: str) -> User:
    """Make the person's login; two people of one name get a number."""
    name, _, domain = (person.email or "").partition("@")
    taken = User.objects.filter(email__startswith=name, email__endswith=f"@{domain}").count()
    person.email = f"{name}{taken + 1 if taken else ''}@{domain}"
    return accounts.member({"name": person.name, "email": person.email}, "patient", by=by, password=password)


def _consents(patient: Patient, admin: User, dice: random.Random) -> Iterator[ConsentRecord]:
    """Yield what a patient agreed to at the first visit: what the clinic requires, and half of them more."""
    kinds = [*REQUIRED, *([ConsentType.PROFILE_SHARING] if dice.random() < 0.5 else [])]
    kinds += [ConsentType.VIDEO_RECORDING] if dice.random() < 0.2 else []
    for kind in kinds:
        yield ConsentRecord(
            patient=patient,
            type=kind,
            policy_version="1",
            method="paper",
            granted_at=patient.created_at + timedelta(minutes=5),
            granted_by=admin,
        )
