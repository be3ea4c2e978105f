"""Named row filters of appointments, what may be booked, and who waits for it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db.models import Q

from apps.profiles.models import Patient
from apps.scheduling.lifecycles import ACTIVE
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, TenantManager, TenantQuerySet

if TYPE_CHECKING:  # the type checker alone reads the parameter of a base class
    from apps.scheduling.models import Appointment, AppointmentTemplate, WaitlistEntry  # noqa: F401


class AppointmentQuerySet(TenantQuerySet["Appointment"]):
    """Appointments of one clinic."""

    def alive(self) -> Self:
        """Leave out the deleted ones."""
        return self.filter(deleted_at=None)

    def active(self) -> Self:
        """Keep what still occupies time."""
        return self.filter(status__in=ACTIVE)

    def visible_to(self, actor: Actor, *, today: date) -> Self:
        """Keep what the caller may see (contract/scheduling.md 1.1).

        Patients see their own, specialists those they are assigned to, the desk and admins all of the organization.
        """
        match actor.effective_role:
            case Role.PATIENT:
                own = Patient.objects.own(actor, today=today).values("pk")
                return self.alive().filter(Q(patient__in=own) | Q(specialist__user_id=actor.staff_user_id or 0))
            case Role.SPECIALIST:
                return self.alive().filter(specialist__user_id=actor.user_id)
            case _:
                return self.alive()


class AppointmentManager(TenantManager.from_queryset(AppointmentQuerySet)):  # type: ignore[misc]
    """Appointments of the active organization."""


class TemplateQuerySet(TenantQuerySet["AppointmentTemplate"]):
    """Appointment templates of one clinic."""

    def alive(self) -> Self:
        """Leave out the deleted ones."""
        return self.filter(deleted_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the caller may see (contract/scheduling.md 1.3)."""
        match actor.effective_role:
            case Role.PATIENT:
                return self.alive().filter(is_active=True, is_public=True)
            case Role.SPECIALIST:
                return self.alive().filter(is_active=True)
            case _:
                return self.alive()

    def offered(self) -> Self:
        """Keep what the public may book."""
        return self.alive().filter(is_active=True, is_public=True)


class TemplateManager(TenantManager.from_queryset(TemplateQuerySet)):  # type: ignore[misc]
    """Appointment templates of the active organization."""


class WaitlistQuerySet(TenantQuerySet["WaitlistEntry"]):
    """Entries of one clinic's waiting list."""

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the caller may see: specialists see who waits for them, or for nobody in particular."""
        if actor.effective_role == Role.SPECIALIST:
            return self.filter(Q(specialist=None) | Q(specialist__user_id=actor.user_id))
        return self


class WaitlistManager(TenantManager.from_queryset(WaitlistQuerySet)):  # type: ignore[misc]
    """The waiting list of the active organization."""
