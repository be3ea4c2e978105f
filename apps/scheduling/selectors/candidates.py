"""Candidates: the clinic's patients who may be whoever booked. Source: contract/scheduling.md 4 (9).

An e-mail and a phone on file count only where the person shares the profile; a login's e-mail and a name count always.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, Func, IntegerField, QuerySet, TextField, Value, When

from apps.profiles.models import Patient, PatientSearch
from apps.profiles.models.search import Folded, shares_profile
from apps.scheduling.models import Appointment
from restartix.kernel import grams
from restartix.kernel.crypto import keyed_hash

MOST = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A patient, and by what of the contact they were found: some of `email`, `phone`, `name`, in this order."""

    patient: Patient
    matched_on: tuple[str, ...]


def candidates(booked: Appointment) -> list[Candidate]:
    """Return the living patients whom the contact may mean, at most ten, those whom most of it means first.

    At most six statements, whatever the number of patients.
    """
    name, email = booked.contact_name, booked.contact_email
    phone: Any = booked.contact_phone
    by_email = _with_login(email) | _with_email(email) if email else set()
    by_phone = _with_phone(phone) if phone else set()
    by_name = _with_name(name, first=by_email | by_phone) if name else set()
    ways = (("email", by_email), ("phone", by_phone), ("name", by_name))
    found = {key: tuple(way for way, keys in ways if key in keys) for key in by_email | by_phone | by_name}
    chosen = sorted(found, key=lambda key: (-len(found[key]), key))[:MOST]
    people = Patient.objects.select_related("person__user", "organization").in_bulk(chosen)
    return [Candidate(people[key], found[key]) for key in chosen if key in people]


def _with_login(email: str) -> set[int]:
    rows = Patient.objects.alive().filter(person__user__email=email.lower(), person__user__deleted_at=None)
    return set(rows.values_list("pk", flat=True))


def _with_email(email: str) -> set[int]:
    rows = _searched().filter(shares_profile(), gated_words=Folded(Value(email)))
    return set(rows.values_list("patient_id", flat=True))


def _with_phone(phone: str) -> set[int]:
    """Return whose number it is: those whose number has the same parts, then those with the number itself."""
    buckets = grams.buckets_of(grams.digits_of(phone))
    alike = list(
        _searched().filter(shares_profile(), phone_grams__contains=buckets).values_list("patient_id", flat=True)
    )
    rows = Patient.objects.filter(pk__in=alike, person__phone_hash=keyed_hash(phone, purpose="phone"))
    return set(rows.values_list("pk", flat=True))


def _with_name(name: str, *, first: Collection[int]) -> set[int]:
    """Return ten who have this name in whatever capitals and accents, those in `first` before others."""
    called = Func(F("open_words"), Value("\n"), Value(1), function="split_part", output_field=TextField())
    rows = _searched().alias(called=called).filter(called=Folded(Value(" ".join(name.split()))))
    rank = Case(When(patient__in=first, then=Value(0)), default=Value(1), output_field=IntegerField())
    return set(rows.order_by(rank, "patient_id").values_list("patient_id", flat=True)[:MOST])


def _searched() -> QuerySet[PatientSearch]:
    return PatientSearch.objects.filter(patient__deleted_at=None)
