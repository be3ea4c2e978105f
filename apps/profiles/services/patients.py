"""Patients: a person's file at the active organization. Source: contract/profiles.md 1.2."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.organizations.models import User
from apps.organizations.services import facts
from apps.profiles.errors import AlreadyPatient
from apps.profiles.facts import PatientOnboarded
from apps.profiles.models import Patient, PatientPerson
from apps.profiles.services import persons
from restartix.kernel.errors import AlreadyTaken, refusing
from restartix.kernel.tenancy import Actor


@transaction.atomic
def register(*, by: Actor, person: dict[str, Any], consumer_id: str | None = None, user: User | None = None) -> Patient:
    """Write down a new person, with the login `user` where there is one, and open that person's file.

    `person` holds fields of contract/profiles.md 1.1, `name` at least. Raises Invalid (422) for a value that the person
    cannot have, and AlreadyTaken (409) if another file has the `consumer_id` or another person the login.
    """
    return open_file(persons.create(by=by, user=user, **person), by=by, consumer_id=consumer_id)


@transaction.atomic
def open_file(person: PatientPerson, *, by: Actor, consumer_id: str | None = None) -> Patient:
    """Make the person a patient of the active organization; a removed one comes back with id and history.

    Raises AlreadyPatient (409) if the person is one, and AlreadyTaken (409) if another file has the `consumer_id`.
    """
    patient = Patient.objects.select_for_update().filter(person=person).first()
    if patient is not None and patient.deleted_at is None:
        raise AlreadyPatient(patient.pk)
    patient = patient or Patient(person=person)
    patient.deleted_at = None
    patient.consumer_id = consumer_id or patient.consumer_id
    with refusing(patient_consumer_id_free=AlreadyTaken("consumer_id")):
        patient.save()
    facts.record(PatientOnboarded(patient.pk))
    return patient
