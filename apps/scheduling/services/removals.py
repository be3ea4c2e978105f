"""What of scheduling stands in the way of removals in the apps below, and what goes with them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.organizations.models import Organization
from apps.organizations.services import organizations
from apps.profiles.models import Patient, Specialist, Specialty
from apps.profiles.selectors import care
from apps.profiles.services import availability, patients, specialists, specialties
from apps.scheduling.lifecycles import ACTIVE, AppointmentStatus
from apps.scheduling.models import (
    Appointment,
    AppointmentTemplate,
    CalendarFeed,
    Hold,
    TemplateSpecialist,
    WaitlistEntry,
)
from apps.scheduling.services import waiting
from apps.scheduling.services.templates import release_holds
from restartix.kernel import clock
from restartix.kernel.tenancy import Actor


def register() -> None:
    """Tell the apps below; called once at start."""
    organizations.removal.refuse_while("active_appointments", future_appointments_of_organization)
    organizations.removal.together_with(let_go_of_visitors)
    specialists.removal.refuse_while("future_appointments", future_appointments_of_specialist)
    specialists.removal.together_with(let_go_of_specialist)
    specialties.removal.refuse_while("appointment_templates", templates_of_specialty)
    specialties.removal.together_with(forget_specialty)
    patients.removal.refuse_while("active_appointments", future_appointments_of_patient)
    care.is_told_by(patients_of)
    availability.templates_are_known_by(known_templates)


def _future() -> QuerySet[Appointment]:
    rows: QuerySet[Appointment] = Appointment.objects.alive().filter(status__in=ACTIVE, ended_at__gt=clock.now())
    return rows


def future_appointments_of_organization(organization: Organization) -> int:
    """Count the active appointments that end in the future."""
    return _future().filter(organization=organization).count()


def future_appointments_of_specialist(specialist: Specialist) -> int:
    """Count the active appointments that end in the future."""
    return _future().filter(specialist=specialist).count()


def future_appointments_of_patient(patient: Patient) -> int:
    """Count the active appointments that end in the future."""
    return _future().filter(patient=patient).count()


def patients_of(treating: QuerySet[Specialist]) -> QuerySet[Any]:
    """Return the ids of the patients who have an appointment, not cancelled, with one of the specialists."""
    standing = Appointment.objects.alive().exclude(status=AppointmentStatus.CANCELLED)
    return standing.filter(specialist__in=treating, patient__isnull=False).values("patient_id")


def templates_of_specialty(specialty: Specialty) -> int:
    """Count the appointment templates that name the specialty."""
    return int(AppointmentTemplate.objects.alive().filter(specialty=specialty).count())


def known_templates(ids: Collection[int]) -> Collection[int]:
    """Return those of the ids that are appointment templates of the active organization."""
    return set(AppointmentTemplate.objects.alive().filter(pk__in=ids).values_list("pk", flat=True))


@transaction.atomic
def let_go_of_visitors(organization: Organization, by: Actor) -> None:
    """Release the organization's live holds and empty its waiting list."""
    release_holds(Hold.objects.filter(organization=organization))
    waiting.remove_all(WaitlistEntry.objects.filter(organization=organization))


@transaction.atomic
def let_go_of_specialist(specialist: Specialist, by: Actor) -> None:
    """Take the specialist off every template and the waiting list, release the live holds, revoke the feed."""
    TemplateSpecialist.objects.filter(specialist=specialist).delete()
    release_holds(Hold.objects.filter(specialist=specialist))
    CalendarFeed.objects.filter(specialist=specialist).delete()
    waiting.remove_all(WaitlistEntry.objects.filter(specialist=specialist))


@transaction.atomic
def forget_specialty(specialty: Specialty, by: Actor) -> None:
    """Take the specialty off deleted templates and off appointments, which go on without one."""
    AppointmentTemplate.objects.filter(specialty=specialty).update(specialty=None)
    Appointment.objects.filter(specialty=specialty).update(specialty=None)
