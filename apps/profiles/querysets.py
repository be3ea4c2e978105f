"""Named row filters of patients and specialists."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Self

from django.db.models import Exists, OuterRef, Q

from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, TenantManager, TenantQuerySet

if TYPE_CHECKING:
    from apps.profiles.models.patients import Patient
    from apps.profiles.models.specialists import Specialist


class PatientQuerySet(TenantQuerySet["Patient"]):
    """Patients of one clinic."""

    def alive(self) -> Self:
        """Leave out the removed ones."""
        return self.filter(deleted_at=None)

    def own(self, actor: Actor, *, today: date, permission: str = "view") -> Self:
        """Keep the caller's own file and those of the patients the caller cares for today.

        `permission` is what a caregiver needs: `view` or `manage`. Source: contract/profiles.md 1.2, 1.4.
        """
        from apps.profiles.models.patients import PatientPersonManager

        allowed = ["view", "manage"] if permission == "view" else ["manage"]
        caring = PatientPersonManager.objects.filter(
            Q(valid_to=None) | Q(valid_to__gte=today),
            patient=OuterRef("pk"),
            user_id=actor.user_id,
            valid_from__lte=today,
            permissions__in=allowed,
        )
        return self.alive().filter(Q(person__user_id=actor.user_id) | Exists(caring))

    def visible_to(self, actor: Actor, *, today: date) -> Self:
        """Keep what the caller may see: staff all patients, patients their own (contract/profiles.md 1.3)."""
        if actor.effective_role == Role.PATIENT:
            return self.own(actor, today=today)
        return self.alive()


class PatientManager(TenantManager.from_queryset(PatientQuerySet)):  # type: ignore[misc]
    """Patients of the active organization."""


class SpecialistQuerySet(TenantQuerySet["Specialist"]):
    """Specialists of one clinic."""

    def alive(self) -> Self:
        """Leave out the deleted ones."""
        return self.filter(deleted_at=None)

    def bookable(self, *, today: date, suspend_on_expired_license: bool) -> Self:
        """Keep those whom the public may book (contract/profiles.md 1.7, `is_bookable`)."""
        rows = self.alive().filter(scheduling_active=True, scheduling_timezone__isnull=False)
        if suspend_on_expired_license:
            rows = rows.exclude(license_expires_on__lt=today)
        return rows


class SpecialistManager(TenantManager.from_queryset(SpecialistQuerySet)):  # type: ignore[misc]
    """Specialists of the active organization."""
