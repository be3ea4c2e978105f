"""What the API tells the signed-in user of themself. Source: contract/organizations.md 1.1 (Me)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, Organization, User
from apps.profiles.models import Impersonation, PatientPersonManager, Specialist
from apps.profiles.selectors.patients import own_patient
from restartix.kernel.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Station:
    """The user in the active organization: what they are there, besides their role."""

    specialist: Specialist | None = None
    patient_id: int | None = None
    caring: tuple[PatientPersonManager, ...] = ()


@dataclass(frozen=True, slots=True)
class Me:
    """The user, the memberships over all organizations, and the station in the active one."""

    user: User
    role: str | None
    current_organization: Organization | None
    memberships: tuple[Membership, ...]
    station: Station
    #: None unless somebody else acts as the user.
    impersonation: Impersonation | None = None

    @property
    def is_superadmin(self) -> bool:
        """Whether the user's flag counts: whoever acts as the user is a patient and nothing else."""
        return self.user.is_superadmin and self.impersonation is None


def me_of(user_id: int, *, actor: Actor, organization_id: int | None, now: datetime) -> Me:
    """Return what `/v1/me` tells; at most five statements. The active organization, if any, is the scope's."""
    memberships = tuple(
        Membership.everywhere.filter(user_id=user_id, status=MembershipStatus.ACTIVE, organization__deleted_at=None)
        .select_related("organization")
        .order_by("organization__name", "organization_id")
    )
    organization = _organization(organization_id, memberships)
    return Me(
        user=User.objects.get(pk=user_id),
        role=actor.effective_role,
        current_organization=organization,
        memberships=memberships,
        station=_station(actor, organization, now=now) if organization else Station(),
        impersonation=_impersonation(actor),
    )


def _impersonation(actor: Actor) -> Impersonation | None:
    if actor.impersonation_id is None:
        return None
    return Impersonation.objects.select_related("actor").get(pk=actor.impersonation_id)


def _organization(organization_id: int | None, memberships: tuple[Membership, ...]) -> Organization | None:
    """Return the organization from the memberships; a superadmin may be in one without being its member."""
    if organization_id is None:
        return None
    joined = (each.organization for each in memberships if each.organization_id == organization_id)
    return next(joined, None) or Organization.objects.get(pk=organization_id)


def _station(actor: Actor, organization: Organization, *, now: datetime) -> Station:
    user_id = actor.on_behalf_of or actor.user_id or 0
    patient = own_patient(actor)
    caring = (
        PatientPersonManager.objects.valid_on(organization.today(now))
        .filter(user_id=user_id, patient__deleted_at=None)
        .select_related("patient__person")
        .order_by("patient__person__name", "patient_id")
    )
    specialists = Specialist.objects.alive().filter(user_id=user_id)
    return Station(
        specialist=specialists.first() if actor.impersonation_id is None else None,
        patient_id=patient.pk if patient else None,
        caring=tuple(caring),
    )
