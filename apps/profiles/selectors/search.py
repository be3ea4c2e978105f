"""Patients as the desk looks for them: by words in any order, by the clinic's reference, by part of a phone number.

The gate holds here too: an e-mail on file and a phone find nobody who does not share the profile with the clinic.
Source: contract/profiles.md 1.1, 2.1; docs/adr/0017-search.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.models import Case, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import StrIndex
from django.db.models.lookups import Exact, GreaterThan

from apps.profiles.models import Patient, PatientSearch
from apps.profiles.models.search import Folded, containing, shares_profile
from restartix.kernel import grams

#: Shorter texts find nothing: one letter is no question.
FEWEST_CHARACTERS = 2
_OPENED_AT_ONCE = 200


def find(text: str) -> QuerySet[Patient]:
    """Return the patients, removed ones included, that `text` means; none for a text of one character."""
    text = text.strip()
    if len(text) < FEWEST_CHARACTERS:
        return Patient.objects.none()
    meant = Q(pk__in=PatientSearch.objects.filter(_words(text)).values("patient"))
    meant |= Q(consumer_id__icontains=text)
    meant |= Q(pk__in=list(_by_phone(text)))
    return Patient.objects.filter(meant)


def best(text: str, *, limit: int) -> list[Patient]:
    """Return the first `limit` living patients that `text` means, with their persons; at most four statements.

    The one whose reference it is comes first, then those whose shared phone has these digits; then names that begin
    with it, names of which a word begins with it, the others by name.
    """
    text = text.strip()
    if len(text) < FEWEST_CHARACTERS:
        return []
    keys = dict.fromkeys(
        Patient.objects.alive().filter(consumer_id__in={text, text.upper()}).values_list("pk", flat=True)
    )
    for more in (_by_phone(text, alive=True), _ranked(text)[:limit]):
        if len(keys) < limit:
            keys |= dict.fromkeys(islice(more, limit - len(keys)))
    found = Patient.objects.select_related("person").in_bulk(keys)
    return [found[key] for key in keys if key in found]


def _ranked(text: str) -> QuerySet[PatientSearch, int]:
    place = StrIndex(F("open_words"), Folded(Value(text)))
    begins_word = StrIndex(F("open_words"), Folded(Value(f" {text}")))
    rank = Case(
        When(Exact(place, 1), then=Value(0)),
        When(GreaterThan(begins_word, 0), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = PatientSearch.objects.filter(_words(text), patient__deleted_at=None)
    return rows.order_by(rank, "open_words", "patient_id").values_list("patient_id", flat=True)


def _words(text: str) -> Q:
    """Return the condition that every word of `text` is found, in whatever order they were written."""
    meant = Q()
    for word in text.split():
        meant &= containing(word)
    return meant


def _by_phone(text: str, *, alive: bool = False) -> Iterator[int]:
    """Yield the patients whose shared phone number contains the digits: those in the right buckets, then opened."""
    digits = grams.wanted_digits(text)
    if not digits:
        return
    in_buckets = Q()
    for each in digits:
        in_buckets |= Q(phone_grams__contains=grams.buckets_of(each))
    rows = PatientSearch.objects.filter(in_buckets, shares_profile())
    if alive:
        rows = rows.filter(patient__deleted_at=None)
    numbers: Any = rows.order_by("open_words", "patient_id").values_list("patient_id", "patient__person__phone")
    for key, phone in numbers.iterator(chunk_size=_OPENED_AT_ONCE):
        if phone and any(each in phone for each in digits):
            yield key


def sharing(patients: Iterable[Patient]) -> set[int]:
    """Return the ids of those of the patients who share the profile with the clinic."""
    rows = PatientSearch.objects.filter(shares_profile(), patient__in=[patient.pk for patient in patients])
    return set(rows.values_list("patient_id", flat=True))
