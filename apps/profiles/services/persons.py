"""Persons: human beings, who belong to no clinic. Source: contract/profiles.md 1.1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction

from apps.organizations.models import User
from apps.profiles.models import PatientPerson
from restartix.kernel import clock, grams, phones
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.errors import AlreadyTaken, Invalid, refusing
from restartix.kernel.tenancy import Actor, active_organization_id

PHONES = ("phone", "emergency_contact_phone")
LISTS = ("allergies", "chronic_conditions")
EARLIEST_BIRTH = date(1900, 1, 1)


@transaction.atomic
def create(*, by: Actor, name: str, user: User | None = None, **fields: Any) -> PatientPerson:
    """Write down a person at the active organization, which is the first to know them.

    Raises Invalid (422) for a value that a person cannot have, and AlreadyTaken (409) if the login is another person's.
    """
    person = PatientPerson(name=name, user=user, registered_by_id=active_organization_id(), **_columns(fields))
    with refusing(profiles_patientperson_user_id_key=AlreadyTaken("user_id")):
        person.save(force_insert=True)
    return person


@transaction.atomic
def change(person: PatientPerson, *, by: Actor, **fields: Any) -> PatientPerson:
    """Change the given fields, holding the row; lists are replaced whole, and every clinic sees the change.

    Raises Invalid (422) for a value that a person cannot have.
    """
    person = PatientPerson.objects.select_for_update().get(pk=person.pk)
    columns = _columns(fields)
    differing = [name for name, value in columns.items() if getattr(person, name) != value]
    for name in differing:
        setattr(person, name, columns[name])
    if differing:
        person.save(update_fields=differing)
    return person


def check(fields: Mapping[str, Any]) -> None:
    """Raise Invalid (422) for a value that a person cannot have, before anything is made."""
    _columns(dict(fields))


def _columns(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as they are stored."""
    columns = dict(fields)
    for name in PHONES:
        if columns.get(name):
            columns[name] = _phone(name, columns[name])
    if "phone" in columns:
        columns["phone_hash"] = keyed_hash(columns["phone"], purpose="phone") if columns["phone"] else None
        columns["phone_grams"] = grams.buckets_of(grams.digits_of(columns["phone"])) if columns["phone"] else None
    for name in LISTS:
        if name in columns:
            columns[name] = without_repeats(columns[name])
    if "insurance_entries" in columns:
        columns["insurance_entries"] = [_insurance(entry) for entry in columns["insurance_entries"]]
    _check_birth(columns.get("date_of_birth"))
    return columns


def _insurance(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry as JSON holds it."""
    valid_to = entry.get("valid_to")
    return {**entry, "valid_to": valid_to.isoformat() if isinstance(valid_to, date) else valid_to}


def _phone(field: str, text: str) -> str:
    try:
        return phones.normalised(text)
    except ValueError as error:
        raise Invalid({field: [str(error)]}) from error


def _check_birth(day: date | None) -> None:
    latest_on_earth = (clock.now() + timedelta(hours=14)).date()
    if day is not None and not EARLIEST_BIRTH <= day <= latest_on_earth:
        raise Invalid({"date_of_birth": ["a day from 1900-01-01 to today is expected"]})


def without_repeats(texts: Iterable[str]) -> list[str]:
    """Return the texts without those that repeat an earlier one in other capitals."""
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(text.casefold(), text)
    return list(kept.values())
