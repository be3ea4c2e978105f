"""Patients: a person's file at the active organization. Source: contract/profiles.md 1.2, 2.1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from apps.organizations.models import User
from apps.organizations.services import accounts, facts
from apps.organizations.services.removals import Removal
from apps.profiles.errors import AlreadyPatient
from apps.profiles.facts import PatientOnboarded, PatientUpdated
from apps.profiles.models import Patient, PatientPerson
from apps.profiles.selectors import reachable
from apps.profiles.services import caregivers, persons, seats
from apps.profiles.services.consents import grant
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid, named_within, refusing
from restartix.kernel.tenancy import Actor
from restartix.kernel.transactions import joins_transaction

#: What stands in the way of a patient's removal and what goes with it; higher apps say both.
removal: Removal[Patient] = Removal()

#: Consents taken with the registration: `{type, method, policy_version?, granted_at?}` each.
Agreements = Sequence[Mapping[str, Any]]


@transaction.atomic
def register(
    *,
    by: Actor,
    person: dict[str, Any],
    consumer_id: str | None = None,
    user: User | None = None,
    consents: Agreements = (),
    create_account: bool = False,
) -> Patient:
    """Write down a new person, with the login `user` where there is one, and open that person's file.

    `person` holds fields of contract/profiles.md 1.1, `name` at least. With `create_account` the person's e-mail gets a
    login and a `patient` membership; where it is the login of somebody whom another clinic knows, that person is linked
    as they are, and what is said of them here is dropped: the gate is closed.
    Raises Invalid (422) for a value that the person cannot have; AlreadyTaken (409) if another file has the
    `consumer_id`, another person the login, or a blocked user the e-mail; AlreadyPatient (409) if the e-mail is that of
    a patient here; Unavailable (503) if the identity provider is out of reach. Then nothing is made.
    """
    if create_account:
        _check_free(consumer_id)
        user = _account(person, by=by)
        seats.give(user, by=by)
    known = reachable.person_of_user(user) if create_account and user is not None else None
    if known is not None:
        return _opened(known, by=by, consumer_id=consumer_id, consents=consents)
    with named_within("person"):
        made = persons.create(by=by, user=user, **person)
    return _opened(made.pk, by=by, consumer_id=consumer_id, consents=consents)


def _check_free(consumer_id: str | None) -> None:
    """Raise AlreadyTaken (409) if a file has the reference, before an account is made for nothing."""
    if consumer_id is not None and Patient.objects.filter(consumer_id=consumer_id).exists():
        raise AlreadyTaken("consumer_id")


def _account(person: Mapping[str, Any], *, by: Actor) -> User:
    """Return the user with the person's e-mail, made where there is none; a patient here is known before we ask."""
    email = person.get("email")
    if not email:
        raise Invalid({"person.email": ["required, for an account is to be made"]})
    here = Patient.objects.alive().filter(person__user__email=email.lower(), person__user__deleted_at=None).first()
    if here is not None:
        raise AlreadyPatient(here.pk)
    with named_within("person"):
        persons.check(person)
        return accounts.create_account(email=email, name=person["name"], by=by)


@transaction.atomic
def admit(person_id: int, *, by: Actor, consumer_id: str | None = None, consents: Agreements = ()) -> Patient:
    """Open the file of somebody known: a removed patient, who comes back with id and history, or a member's person.

    Raises Invalid (422) for anybody else, the same whether the person is another clinic's or there is none;
    AlreadyPatient (409) if the person is a patient here, and AlreadyTaken (409) if another file has the `consumer_id`.
    """
    if not Patient.objects.filter(person=person_id).exists() and not reachable.is_person_of_member(person_id):
        raise Invalid({"patient_person_id": ["not found"]})
    return _opened(person_id, by=by, consumer_id=consumer_id, consents=consents)


@transaction.atomic
def open_file(person_id: int, *, by: Actor) -> Patient:
    """Make the person a patient of the active organization; a removed one comes back with id and history.

    For those who know whose the id is: the person need not be visible here yet. Raises AlreadyPatient (409) if the
    person is one.
    """
    return _opened(person_id, by=by)


@transaction.atomic
def restore(patient: Patient, *, by: Actor) -> Patient:
    """Undo the removal of a patient, who gets the seat of a patient again.

    Raises AlreadyPatient (409) if the patient is not removed.
    """
    return _opened(patient.person_id, by=by)


def _opened(person_id: int, *, by: Actor, consumer_id: str | None = None, consents: Agreements = ()) -> Patient:
    patient = Patient.objects.select_for_update().filter(person=person_id).first()
    if patient is not None and patient.deleted_at is None:
        raise AlreadyPatient(patient.pk)
    returns = patient is not None
    patient = patient or Patient(person_id=person_id)
    patient.deleted_at = None
    patient.consumer_id = consumer_id or patient.consumer_id
    _save_new(patient)
    patient.person = PatientPerson.objects.select_related("user").get(pk=person_id)  # the file makes them visible
    if returns and patient.person.user is not None:
        seats.give(patient.person.user, by=by)
    _agree(patient, consents, by=by)
    facts.record(PatientOnboarded(patient.pk))
    return patient


def _save_new(patient: Patient) -> None:
    """Save the file; where another request opened one for the same person meanwhile, say which."""
    person_id = patient.person_id
    try:
        with refusing(
            patient_consumer_id_free=AlreadyTaken("consumer_id"), patient_once_in_organization=AlreadyPatient(0)
        ):
            patient.save()
    except AlreadyPatient as error:
        raise AlreadyPatient(Patient.objects.get(person=person_id).pk) from error


def _agree(patient: Patient, agreements: Agreements, *, by: Actor) -> None:
    for index, agreement in enumerate(agreements):
        with named_within(f"consents[{index}]"):
            grant(patient=patient, by=by, **agreement)


@transaction.atomic
def change(patient: Patient, *, by: Actor, person: Mapping[str, Any] | None = None, **fields: Any) -> Patient:
    """Change the clinic's own reference and the given fields of the person, holding the rows that change.

    Every clinic whose gate is open sees what changes of the person. Raises Invalid (422) for a value that the person
    cannot have, and AlreadyTaken (409) if another file has the `consumer_id`. Who may write what the caller has judged.
    """
    patient = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("person").get(pk=patient.pk)
    before = patient.person.updated_at
    if person:
        with named_within("person"):
            patient.person = persons.change(patient.person, by=by, **person)
    differing = [name for name, value in fields.items() if getattr(patient, name) != value]
    for name in differing:
        setattr(patient, name, fields[name])
    if differing:
        with refusing(patient_consumer_id_free=AlreadyTaken("consumer_id")):
            patient.save(update_fields=differing)
    if differing or patient.person.updated_at != before:
        facts.record(PatientUpdated(patient.pk))
    return patient


@transaction.atomic
def remove(patient: Patient, *, by: Actor) -> None:
    """Close the file: it is kept and comes back with its history when the person does; the person stays.

    Holds the row against everything that links to it. Caregivers' links end, and a membership with the role patient is
    disabled. Raises StillNeeded (409) while appointments lie ahead or a treatment plan is under way.
    """
    patient = Patient.objects.select_for_update(of=("self",)).select_related("person__user").get(pk=patient.pk)
    removal.check(patient)
    removal.carry_out(patient, by=by)
    caregivers.end_all(patient, by=by)
    if patient.person.user is not None:
        seats.take(patient.person.user, by=by)
    patient.deleted_at = clock.now()
    patient.save(update_fields=["deleted_at"])


@joins_transaction
def check_not_removed(patient: Patient) -> None:
    """Raise Invalid (422) if the patient was removed meanwhile.

    Asked once a row that links to the patient has been written, which holds theirs: a removal has either been seen here
    or waits, and then counts that row.
    """
    if Patient.objects.filter(pk=patient.pk, deleted_at__isnull=False).exists():
        raise Invalid({"patient_id": ["not found"]})


def _no_enrolment(patient: Patient) -> int:
    """Count what treatment plans will count once there are some; callers read the number today."""
    return 0


removal.refuse_while("active_enrolments", _no_enrolment)
