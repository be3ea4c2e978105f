"""Intake: a human being of whom the clinic knows a contact alone becomes its patient.

Source: contract/scheduling.md 3.1 (onboard, 2 and 3), contract/profiles.md 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from apps.organizations.models import User
from apps.organizations.services import accounts
from apps.organizations.services.accounts import Provided
from apps.profiles.models import Patient, PatientPerson
from apps.profiles.selectors import reachable
from apps.profiles.services import patients, persons, seats
from restartix.kernel.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Contact:
    """What is known of somebody who is nobody's patient here yet; the phone as contract/forms.md 0.3 stores it."""

    name: str
    email: str | None = None
    phone: str | None = None


@transaction.atomic
def take_in(contact: Contact, *, by: Actor, create_account: bool, provided: Provided | None = None) -> Patient:
    """Make the human being behind `contact` a patient of the active organization, with the seat of one.

    Where the e-mail is somebody's login, it is that somebody: the person whom another clinic knows is linked as they
    are, behind the closed gate, and one who was removed here returns. Else a person is written down, and with
    `create_account` given a login, by the account that `accounts.provide` gave. Holds the login's row, so that one of
    two at the same time makes the person.
    Raises AlreadyPatient (409) if that somebody is a patient here, and what `accounts.create_account` raises.
    """
    user = _login_of(contact)
    if user is None and create_account:
        user = accounts.create_account(email=contact.email or "", name=contact.name, by=by, provided=provided)
    if user is None:
        return patients.open_file(_written_down(contact, None, by=by).pk, by=by)
    seats.give(user, by=by)
    known = reachable.person_of_user(user)
    return patients.open_file(known or _written_down(contact, user, by=by).pk, by=by)


def _login_of(contact: Contact) -> User | None:
    if not contact.email:
        return None
    users = User.objects.select_for_update(no_key=True)
    return users.filter(email=contact.email.lower(), deleted_at=None).first()


def _written_down(contact: Contact, user: User | None, *, by: Actor) -> PatientPerson:
    return persons.create(by=by, name=contact.name, email=contact.email, phone=contact.phone, user=user)


def let_go(provided: Provided) -> None:
    """Remove the account that was made for an intake that failed, unless it has become a patient's meanwhile.

    Waits for the network: call it in no transaction.
    """
    user = User.objects.filter(clerk_user_id=provided.account.id, deleted_at=None).first()
    if user is None or reachable.person_of_user(user) is None:
        accounts.withdraw(provided)
