"""Named row filters of patients, specialists and specialties."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Count,
    DateField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Cast, Coalesce

from restartix.kernel.roles import ADMINS, Role
from restartix.kernel.tenancy import Actor, TenantManager, TenantQuerySet

if TYPE_CHECKING:
    from apps.profiles.models.consents import ConsentRecord
    from apps.profiles.models.patients import Patient, PatientPersonManager  # noqa: F401 (named in the generic bases)
    from apps.profiles.models.specialists import Specialist, Specialty  # noqa: F401 (named in the generic bases)


class PatientQuerySet(TenantQuerySet["Patient"]):
    """Patients of one clinic."""

    def alive(self) -> Self:
        """Leave out the removed ones."""
        return self.filter(deleted_at=None)

    def own(self, actor: Actor, *, today: date, permission: str = "view") -> Self:
        """Keep the caller's own file and those of the patients the caller cares for today.

        `permission` is what a caregiver needs: `view` or `manage`. Source: contract/profiles.md 1.2, 1.4.
        """
        from apps.profiles.models.patients import Patient

        # a union rather than an OR: PostgreSQL then reads a handful of rows by their indexes, not the whole clinic
        mine = Patient.objects.filter(person__user_id=actor.own_user_id or 0).values("pk")
        cared_for = _caring(actor, today=today, permission=permission).values("patient")
        return self.alive().filter(pk__in=mine.union(cared_for))

    def visible_to(self, actor: Actor, *, today: date) -> Self:
        """Keep what the caller may see: staff all patients, patients their own (contract/profiles.md 1.3)."""
        if actor.effective_role == Role.PATIENT:
            return self.own(actor, today=today)
        return self.alive()

    def seen_by(self, actor: Actor, *, today: date) -> Self:
        """Join the person and the organization, and add what `selectors.people.is_open` decides by.

        That is `active_types`, the types of the active consents, and `is_own`, whether the caller is the person or
        cares for them today: the gate of a whole list is read with its rows.
        """
        caring = _caring(actor, today=today, permission="view").filter(patient=OuterRef("pk"))
        is_own = Q(person__user_id=actor.own_user_id or 0) | Q(Exists(caring))
        return self.select_related("person", "organization").annotate(
            active_types=ArraySubquery(_active_consents().values("type")),
            is_own=ExpressionWrapper(is_own, output_field=BooleanField()),
        )

    def sharing(self, *, shared: bool) -> Self:
        """Keep those whose person shares the profile with this clinic, or those whose person does not."""
        return self.filter(_shares() if shared else ~_shares())

    def matching(self, text: str) -> Self:
        """Keep those whose name or account's e-mail contains the text, whatever capitals and accents.

        The e-mail on file counts only while it is shared; phones do not. Source: contract/profiles.md 2.1.
        """
        from apps.profiles.models.search import PatientSearch, containing

        return self.filter(pk__in=PatientSearch.objects.filter(containing(text)).values("patient"))


#: Which permissions of a caregiver are enough for what.
_SUFFICIENT = {"view": ["view", "manage"], "manage": ["manage"]}


def _caring(actor: Actor, *, today: date, permission: str) -> CaregiverQuerySet:
    """Return the links by which the caller cares for patients on `today`."""
    from apps.profiles.models.patients import PatientPersonManager

    links: CaregiverQuerySet = PatientPersonManager.objects.valid_on(today)
    return links.filter(user_id=actor.own_user_id or 0, permissions__in=_SUFFICIENT[permission])


def _active_consents() -> QuerySet[ConsentRecord]:
    from apps.profiles.lifecycles import ConsentStatus
    from apps.profiles.models.consents import ConsentRecord

    return ConsentRecord.objects.filter(patient=OuterRef("pk"), status=ConsentStatus.ACTIVE)


def _shares() -> Exists:
    from apps.organizations.models import ConsentType

    return Exists(_active_consents().filter(type=ConsentType.PROFILE_SHARING))


class CaregiverQuerySet(TenantQuerySet["PatientPersonManager"]):
    """Caregivers of one clinic's patients."""

    def valid_on(self, day: date) -> Self:
        """Keep the links that hold on `day`, their first and last days included, unless they were ended before."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day, ended_at=None)

    def standing(self, *, active: bool, now: datetime) -> Self:
        """Keep the links that hold at `now`, each by the date of its organization, or those that do not."""
        today = _local_date(now)
        holds = Q(valid_from__lte=today, ended_at=None) & (Q(valid_to=None) | Q(valid_to__gte=today))
        return self.filter(holds if active else ~holds)


class SpecialistQuerySet(TenantQuerySet["Specialist"]):
    """Specialists of one clinic."""

    def alive(self) -> Self:
        """Leave out the deleted ones."""
        return self.filter(deleted_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """Keep what the caller may read: admins the deleted ones too."""
        return self.all() if actor.effective_role in ADMINS else self.alive()

    def bookable(self, *, today: date, suspend_on_expired_license: bool) -> Self:
        """Keep those whom the public may book (contract/profiles.md 1.7, `is_bookable`)."""
        rows = self.alive().filter(scheduling_active=True, scheduling_timezone__isnull=False)
        if suspend_on_expired_license:
            rows = rows.exclude(license_expires_on__lt=today)
        return rows

    def standing_bookable(self, *, bookable: bool, now: datetime) -> Self:
        """Keep those whose `is_bookable` is so, each by the date and the settings of their own organization."""
        suspends = Coalesce(Q(organization__settings__suspend_on_expired_license=True), Value(value=False))
        suspended = Q(license_expires_on__lt=_local_date(now)) & Q(suspends=True)
        open_ = Q(scheduling_active=True, scheduling_timezone__isnull=False, deleted_at=None)
        rows = self.alias(suspends=suspends)
        return rows.filter(open_).exclude(suspended) if bookable else rows.filter(~open_ | suspended)

    def with_license_status(self, statuses: Collection[str], *, now: datetime) -> Self:
        """Keep those whose licence stands so, each by the date of their own organization."""
        from apps.profiles.models.specialists import EXPIRING_DAYS, LicenseStatus

        today, limit = _local_date(now), _local_date(now + timedelta(days=EXPIRING_DAYS))
        dated = Q(license_expires_on__isnull=False)
        standing = {
            LicenseStatus.NONE: ~dated & Q(license_number=None),
            LicenseStatus.VALID: (~dated & Q(license_number__isnull=False)) | Q(license_expires_on__gt=limit),
            LicenseStatus.EXPIRING: Q(license_expires_on__gte=today, license_expires_on__lte=limit),
            LicenseStatus.EXPIRED: Q(license_expires_on__lt=today),
        }
        wanted = Q()
        for status in statuses:
            wanted |= standing[LicenseStatus(status)]
        return self.filter(wanted)

    def practising(self, specialty_ids: Collection[int]) -> Self:
        """Keep those who practise one of the specialties."""
        from apps.profiles.models.specialists import SpecialistSpecialty

        links = SpecialistSpecialty.objects.filter(specialist=OuterRef("pk"), specialty_id__in=specialty_ids)
        return self.filter(Exists(links))


def _local_date(now: datetime) -> Any:
    """Return, as SQL, the date that a wall calendar of the row's organization shows at `now`."""
    local = Func(F("organization__timezone"), Value(now), function="TIMEZONE")
    return Cast(local, DateField())


class SpecialtyQuerySet(TenantQuerySet["Specialty"]):
    """Specialties of one clinic."""

    def with_counts(self) -> Self:
        """Add `specialists_count`: how many specialists who are not deleted practise it."""
        from apps.profiles.models.specialists import SpecialistSpecialty

        links = SpecialistSpecialty.objects.filter(specialty=OuterRef("pk"), specialist__deleted_at=None)
        count = links.order_by().values("specialty").annotate(count=Count("pk")).values("count")
        return self.annotate(specialists_count=Coalesce(Subquery(count, output_field=BigIntegerField()), 0))


PatientManager = TenantManager.from_queryset(PatientQuerySet)
CaregiverManager = TenantManager.from_queryset(CaregiverQuerySet)
SpecialistManager = TenantManager.from_queryset(SpecialistQuerySet)
SpecialtyManager = TenantManager.from_queryset(SpecialtyQuerySet)
