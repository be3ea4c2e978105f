"""Caregivers: who may look at a patient's data or act for them, at one clinic. Source: contract/profiles.md 1.4."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.db.models import Q

from apps.organizations.models import Membership, Organization, User
from apps.organizations.services import facts
from apps.profiles.errors import CaresAlready
from apps.profiles.facts import CaregiverAppointed
from apps.profiles.models import Patient, PatientPersonManager
from apps.profiles.services import seats
from restartix.kernel import clock
from restartix.kernel.errors import Invalid, NotFound, refusing
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor, active_organization_id


@transaction.atomic
def appoint(
    patient: Patient,
    *,
    by: Actor,
    relation: str,
    permissions: str,
    user_id: int | None = None,
    email: str | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> PatientPersonManager:
    """Let a user care for the patient on the given days, both included; holds the patient's row.

    The user is named by `user_id` or by `email`; patients name by id only members of the clinic, so that ids tell them
    nobody's name. `valid_from` defaults to today in the organization's zone, `valid_to` to no end. A user who is no
    member gets a `patient` membership. The patient is written to.
    Raises Invalid (422) for an unknown or blocked user, for the patient's own one, and for days that end before they
    begin; NotFound (404) if the patient was removed meanwhile; CaresAlready (409) if the user cares for the patient on
    one of these days already.
    """
    field = "user_id" if email is None else "email"
    user = _named(field, by=by, user_id=user_id, email=email)
    patient = Patient.objects.select_for_update(of=("self",), no_key=True).select_related("person").get(pk=patient.pk)
    if patient.deleted_at is not None:
        raise NotFound
    if user.pk == patient.person.user_id:
        raise Invalid({field: ["the patient's own user needs nobody's leave"]})
    first = valid_from or _today()
    if valid_to is not None and valid_to < first:
        raise Invalid({"valid_to": ["must not lie before valid_from"]})
    link = PatientPersonManager(
        patient=patient, user=user, relation=relation, permissions=permissions, valid_from=first, valid_to=valid_to
    )
    link.created_by_id = by.user_id  # type: ignore[assignment]  # the column refuses a task, which appoints nobody
    with refusing(caregiver_once_at_a_time=CaresAlready):
        link.save(force_insert=True)
    seats.give(user, by=by)
    facts.record(CaregiverAppointed(patient.pk, link.pk))
    return link


def _today() -> date:
    """Return the date at the clinic."""
    return Organization.objects.get(pk=active_organization_id()).today(clock.now())


def _named(field: str, *, by: Actor, user_id: int | None, email: str | None) -> User:
    wanted = Q(pk=user_id) if email is None else Q(email=email.lower())
    users = User.objects.filter(wanted, deleted_at=None, blocked=False)
    if email is None and by.effective_role not in STAFF:
        users = users.filter(pk__in=Membership.objects.values("user"))
    user = users.first()
    if user is None:
        raise Invalid({field: ["not found"]})
    return user


@transaction.atomic
def end(link: PatientPersonManager, *, by: Actor) -> PatientPersonManager:
    """End the link now, holding the row; one that is over stays as it is. The caregiver's next request is refused."""
    locked = PatientPersonManager.objects.select_for_update(of=("self",)).get(pk=link.pk)
    today = _today()
    if locked.ended_at is None and (locked.valid_to is None or locked.valid_to >= today):
        locked.ended_at, locked.valid_to = clock.now(), max(today, locked.valid_from)
        locked.save(update_fields=["ended_at", "valid_to"])
    return locked


@transaction.atomic
def end_all(patient: Patient, *, by: Actor) -> None:
    """End every link of the patient that holds today or would later."""
    for link in PatientPersonManager.objects.filter(patient=patient, ended_at=None).order_by("pk"):
        end(link, by=by)
