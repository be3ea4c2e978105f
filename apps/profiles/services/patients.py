"""Patients: a person's file at the active organization. Source: contract/profiles.md 1.2."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from apps.organizations.models import User
from apps.organizations.services import facts
from apps.profiles.facts import PatientOnboarded
from apps.profiles.models import Patient, PatientPerson
from apps.profiles.services import persons
from restartix.kernel.errors import AlreadyTaken, Conflict, refusing


class AlreadyPatient(Conflict):
    """The person is a patient of this organization already."""

    def __init__(self, patient_id: int) -> None:
        """Name the patient."""
        super().__init__(details={"patient_id": patient_id})


@transaction.atomic
def register(*, person: dict[str, Any], consumer_id: str | None = None, user: User | None = None) -> Patient:
    """Write down a new person, with the login `user` where there is one, and open that person's file.

    `person` holds fields of contract/profiles.md 1.1, `name` at least. Raises Invalid (422) for a value that the person
    cannot have, and AlreadyTaken (409) if another file has the `consumer_id` or another person the login.
    """
    return open_file(persons.create(user=user, **person), consumer_id=consumer_id)


@transaction.atomic
def open_file(person: PatientPerson, *, consumer_id: str | None = None) -> Patient:
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


@transaction.atomic
def of_user(user: User, *, name: str) -> Patient:
    """Return the signed-in user's own file in the active organization, opened now where there is none.

    The user's person is the one known to every clinic; without one it is written down as `name`. Only for the caller's
    own user: another user's person is not visible to this clinic.
    """
    person = PatientPerson.objects.filter(user=user).first() or persons.create(name=name, email=user.email, user=user)
    patient = Patient.objects.alive().filter(person=person).first()
    return patient or open_file(person)
