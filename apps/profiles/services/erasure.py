"""Erasure: a person becomes nobody, while what the law has clinics keep stays, under a pseudonym.

One implementation for both commands: the person is erased at every clinic, because a name that one clinic keeps names
the person at all of them. Higher apps clear their rows by `clears`.
Source: contract/profiles.md 3 (Commands); contract/running.md; article 17 of the GDPR.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, MembershipRole, User
from apps.organizations.services import facts, users
from apps.profiles.errors import KnownElsewhere, PersonAmbiguous, StillOnTheStaff
from apps.profiles.facts import PatientUpdated
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient, PatientPerson, PatientPersonManager
from apps.profiles.services import patients, persons
from restartix.kernel import audit, clock
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import Actor, Trace, across_organizations, acting_for

#: What is emptied of a person; the clinical fields stay.
EMPTIED = (
    "email", "date_of_birth", "phone", "occupation", "residence", "emergency_contact_name", "emergency_contact_phone",
)  # fmt: skip
#: A host that never has mail (RFC 6761).
NOWHERE = "erased.invalid"
#: What stays, and why.
KEPT = (
    ("clinical rows", "appointments, forms, plans and documents are medical records, kept for the years the law says"),
    ("sex, blood type, allergies, chronic conditions", "part of the medical record; they name nobody by themselves"),
    ("consents, with address and browser of the granting request", "proof that processing was lawful (GDPR 7.1)"),
    ("audit rows without their changes", "who acted on the record and when; the chain of hashes still verifies"),
    ("impersonations with their reasons", "who acted in the person's name, and why"),
    ("the identity provider's id of the login", "so that a late event of the provider cannot bring the person back"),
    ("backups until they expire", "restore one, and the erasure has to be repeated"),
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """What an erasure did; it holds no personal data, so it may be kept."""

    person_id: int
    pseudonym: str
    reason: str
    erased_at: str
    patient_ids: list[int]
    user_id: int | None
    removed: dict[str, int]
    kept: list[dict[str, str]]
    to_do: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is erased: the person, their files at all clinics, their login, and the addresses that name them."""

    person: PatientPerson
    files: Sequence[Patient]
    user: User | None
    pseudonym: str

    @property
    def emails(self) -> set[str]:
        """The e-mail addresses of the person and the login."""
        return {each.lower() for each in (self.person.email, self.user.email if self.user else None) if each}


Clearing = Callable[[Subject], int]
_clearings: dict[str, Clearing] = {}


def clears(what: str, clearing: Clearing) -> None:
    """Call `clearing(subject)` at every erasure, across all clinics; it returns how many rows of `what` it cleared."""
    _clearings[what] = clearing


@transaction.atomic
def erase_by_email(email: str, *, by: Actor, reason: str, trace: Trace) -> Protocol:
    """Erase the one person who has this e-mail as a login or on file. Raises as `erase` and `_named`."""
    with across_organizations(reason="a person is looked up to be erased", actor=by, trace=trace):
        return erase(_named(email), by=by, reason=reason, trace=trace)


@transaction.atomic
def erase_only_here(patient: Patient, *, by: Actor, reason: str, trace: Trace) -> Protocol:
    """Erase the person of a patient whom no other clinic has. Raises KnownElsewhere (409), and as `erase`."""
    with across_organizations(reason="a patient is erased whom no other clinic has", actor=by, trace=trace):
        others = Patient.objects.filter(person=patient.person_id).exclude(pk=patient.pk).count()
        if others:
            raise KnownElsewhere(others)
        return erase(patient.person, by=by, reason=reason, trace=trace)


@transaction.atomic
def files_of(email: str, *, by: Actor, trace: Trace) -> list[Patient]:
    """Return the files of the one person who has this e-mail, by clinic. Raises as `_named`."""
    with across_organizations(reason="a person takes everything along", actor=by, trace=trace):
        files = Patient.objects.filter(person=_named(email), organization__deleted_at=None)
        return list(files.order_by("organization_id"))


def _named(email: str) -> PatientPerson:
    """Return the person who signs in with this e-mail, else the one on file with it.

    Raises NotFound (404) if there is none, and PersonAmbiguous (409) if several are on file with it.
    """
    found = PatientPerson.objects.filter(Q(user__email=email.lower()) | Q(email__iexact=email))
    persons = list(found.select_related("user").order_by("pk"))
    named = [each for each in persons if each.user and each.user.email == email.lower()] or persons
    if not named:
        raise NotFound("Nobody is known by this e-mail address.")
    if len(named) > 1:
        raise PersonAmbiguous([each.pk for each in named])
    return named[0]


@transaction.atomic
def erase(person: PatientPerson, *, by: Actor, reason: str, trace: Trace) -> Protocol:
    """Take the person's name and contact data away everywhere, block the login, and clear the audit trail of them.

    Locks the person, every file and the login. Raises StillNeeded (409) while an appointment is active, and
    StillOnTheStaff (409) while the login works at a clinic.
    """
    with across_organizations(reason="a person is erased at every clinic", actor=by, trace=trace):
        subject = _subject(person)
        _check(subject)
        removed = {what: clearing(subject) for what, clearing in _clearings.items()}
        removed |= _clear_relations(subject, by=by)
        _forget_login(subject, by=by)
        _forget_person(subject, by=by)
        removed["audit rows redacted"] = _redact(subject)
    _tell(subject, by=by, reason=reason, trace=trace)
    return _protocol(subject, reason, removed)


def _subject(person: PatientPerson) -> Subject:
    person = PatientPerson.objects.select_for_update(of=("self",)).get(pk=person.pk)
    files = list(Patient.objects.select_for_update(of=("self",)).filter(person=person).order_by("pk"))
    user = User.objects.select_for_update().get(pk=person.user_id) if person.user_id else None
    return Subject(person, files, user, f"Erased person {secrets.token_hex(4)}")


def _check(subject: Subject) -> None:
    for patient in subject.files:
        patients.removal.check(patient)
    if subject.user is None:
        return
    works = Membership.objects.filter(user=subject.user, status=MembershipStatus.ACTIVE)
    if subject.user.is_superadmin or works.exclude(role=MembershipRole.PATIENT).exists():
        raise StillOnTheStaff


def _clear_relations(subject: Subject, *, by: Actor) -> dict[str, int]:
    """End consents and caregivers' links, and take the clinics' own references away."""
    now = clock.now()
    consents = ConsentRecord.objects.filter(patient__in=subject.files, status=ConsentStatus.ACTIVE)
    links = PatientPersonManager.objects.filter(
        Q(patient__in=subject.files) | Q(user=subject.user, user__isnull=False), ended_at=None
    )
    files = Patient.objects.filter(pk__in=[each.pk for each in subject.files])
    return {
        "consents withdrawn": consents.update(
            status=ConsentStatus.WITHDRAWN, withdrawn_at=now, withdrawal_note="erased"
        ),
        "caregivers' links ended": links.update(ended_at=now),
        "files at clinics": files.update(consumer_id=None, updated_at=now),
    }


def _forget_login(subject: Subject, *, by: Actor) -> None:
    if subject.user is None:
        return
    users.leave(subject.user, by=by)
    user = User.objects.get(pk=subject.user.pk)
    user.email, user.username, user.name = f"erased-{user.pk}@{NOWHERE}", None, subject.pseudonym
    user.set_unusable_password()
    user.save(update_fields=["email", "username", "name", "password"])


def _forget_person(subject: Subject, *, by: Actor) -> None:
    emptied: dict[str, Any] = dict.fromkeys(EMPTIED)
    persons.change(subject.person, by=by, name=subject.pseudonym, insurance_entries=[], **emptied)


def _redact(subject: Subject) -> int:
    """Take the changes out of the audit rows, those of this very erasure included; the database does it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT restartix_redact_audit(%s, %s, %s, %s)",
            [
                subject.person.pk,
                [each.pk for each in subject.files],
                subject.user.pk if subject.user else None,
                subject.pseudonym,
            ],
        )
        return int(cursor.fetchone()[0])


def _tell(subject: Subject, *, by: Actor, reason: str, trace: Trace) -> None:
    """Leave in each clinic's trail that, why and by whom the person was erased, and announce the change."""
    for patient in subject.files:
        with acting_for(patient.organization_id, actor=by, trace=trace):  # type: ignore[arg-type]
            audit.note("DELETE", "patient_person", subject.person.pk, patient_id=patient.pk, said={"reason": reason})
            if patient.deleted_at is None:
                facts.record(PatientUpdated(patient.pk))


def _protocol(subject: Subject, reason: str, removed: dict[str, int]) -> Protocol:
    to_do = ["Repeat the erasure after restoring a backup that is older than it."]
    if subject.user is not None:
        to_do.insert(0, "Delete the account at the identity provider: it keeps name and e-mail of its own.")
    return Protocol(
        person_id=subject.person.pk,
        pseudonym=subject.pseudonym,
        reason=reason,
        erased_at=clock.now().isoformat(),
        patient_ids=[each.pk for each in subject.files],
        user_id=subject.user.pk if subject.user else None,
        removed={"persons": 1, "logins": int(subject.user is not None), **removed},
        kept=[{"what": what, "why": why} for what, why in KEPT],
        to_do=to_do,
    )
