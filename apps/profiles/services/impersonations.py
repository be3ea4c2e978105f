"""Impersonation: a member of staff acts as a patient for one hour, with the patient's knowledge.

Source: contract/profiles.md 1.6, 2.1, 3 (extension 8).
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import F

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, User
from apps.organizations.services import facts
from apps.profiles.errors import OwnAccountAsPatient, PatientBlocked, PatientHasNoAccount
from apps.profiles.facts import ImpersonationStarted
from apps.profiles.models import Impersonation, Patient
from apps.profiles.models.impersonations import ImpersonationEnd
from apps.profiles.selectors.impersonations import check_pace
from apps.profiles.services import signing
from restartix.kernel import audit, clock
from restartix.kernel.errors import Forbidden, Impersonating, Invalid
from restartix.kernel.roles import ADMINS
from restartix.kernel.tenancy import Actor, Trace, across_organizations

LASTS = timedelta(hours=1)
SHORTEST_REASON, LONGEST_REASON = 10, 500
#: The first number of the advisory lock that orders one person's beginnings.
_TURN = 7263785


class Started(NamedTuple):
    """An impersonation that has just begun, and the token that it is used with; nobody can be told the token again."""

    impersonation: Impersonation
    token: str


@transaction.atomic
def start(patient: Patient, *, by: Actor, reason: str) -> Started:
    """Let `by` act as the patient for an hour; holds the patient's row.

    Raises Forbidden (403) for whoever is no admin, Impersonating (403) under impersonation, RateLimited (429) for the
    fourth within 5 minutes, Invalid (422) for a reason that is not of 10 to 500 characters, PatientHasNoAccount (409),
    PatientBlocked (409) and OwnAccountAsPatient (409).
    """
    if by.impersonation_id is not None:
        raise Impersonating
    if by.user_id is None or by.effective_role not in ADMINS:
        raise Forbidden
    _take_turn(by.user_id)
    check_pace(by)
    reason = _checked(reason)
    patient = (
        Patient.objects.select_for_update(of=("self",), no_key=True).select_related("person__user").get(pk=patient.pk)
    )
    user = _account_of(patient, by=by)
    now = clock.now().replace(microsecond=0)  # tokens count whole seconds, and the hour is theirs exactly
    impersonation = Impersonation.objects.create(
        patient=patient, actor_id=by.user_id, actor_role=str(by.effective_role), reason=reason, started_at=now,
        expires_at=now + LASTS,
    )  # fmt: skip
    audit.note("IMPERSONATE", "impersonation", impersonation.pk, patient_id=patient.pk, said={"reason": reason})
    facts.record(ImpersonationStarted(impersonation.pk))
    return Started(impersonation, _token(impersonation, user))


def _take_turn(user_id: int) -> None:
    """Let the beginnings of one person happen one after the other, so that none escapes the count."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [_TURN, user_id])


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid({"reason": [f"{SHORTEST_REASON} to {LONGEST_REASON} characters are expected"]})
    return reason


def _account_of(patient: Patient, *, by: Actor) -> User:
    user = patient.person.user
    if user is None or user.deleted_at is not None:
        raise PatientHasNoAccount
    if user.blocked:
        raise PatientBlocked
    if user.pk == by.user_id:
        raise OwnAccountAsPatient
    if Membership.objects.filter(user=user, status=MembershipStatus.DISABLED).exists():
        raise PatientBlocked
    return user


def _token(impersonation: Impersonation, user: User) -> str:
    """Return the token, which ends at the same instant as the hour."""
    claims = {
        "sub": str(user.pk),
        "act": {"sub": str(impersonation.actor_id)},
        "imp": impersonation.pk,
        "org": impersonation.organization_id,
        "role": "patient",
        "iat": int(impersonation.started_at.timestamp()),
        "jti": str(uuid4()),
    }
    return signing.sign(claims, expires=int(impersonation.expires_at.timestamp()))


@transaction.atomic
def end(impersonation: Impersonation, *, by: Actor) -> Impersonation:
    """End it at once: the next request with its token is refused. What is over already stays as it is."""
    rows = Impersonation.objects.select_for_update(of=("self",)).select_related("actor", "patient__person")
    impersonation = rows.get(pk=impersonation.pk)
    now = clock.now()
    ended_at, why = impersonation.end_at(now)
    if impersonation.ended_at is None:
        impersonation.ended_at, impersonation.ended_reason = ended_at or now, why or ImpersonationEnd.ENDED
        impersonation.save(update_fields=["ended_at", "ended_reason"])
    return impersonation


@transaction.atomic
def expire() -> int:
    """Write down the end of every impersonation whose hour has run out; returns how many those are."""
    actor = Actor.system("expire_impersonations")
    reason = "impersonations of every clinic run out"
    with across_organizations(reason=reason, actor=actor, trace=Trace(source="task")):
        over = Impersonation.objects.filter(ended_at=None, expires_at__lte=clock.now())
        return over.update(ended_at=F("expires_at"), ended_reason=ImpersonationEnd.EXPIRED)
