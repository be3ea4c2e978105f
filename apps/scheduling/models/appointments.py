"""Appointments: a stretch of a specialist's time for one patient."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models.templates import Mode
from apps.scheduling.querysets import AppointmentManager
from restartix.kernel import clock
from restartix.kernel.crypto import SealedTextField
from restartix.kernel.rows import Timestamped
from restartix.kernel.tenancy import SameOrganization, TenantModel

#: Hours before the start until which a patient may cancel an appointment that has no template.
DEFAULT_CUTOFF_HOURS = 24


class Source(models.TextChoices):
    """By which way an appointment came about."""

    PUBLIC = "public"
    STAFF = "staff"
    TEMPLATE = "template"
    PATIENT = "patient"


class ReasonCode(models.TextChoices):
    """Why an appointment was cancelled, as events tell it."""

    PATIENT_REQUEST = "patient_request"
    SPECIALIST_UNAVAILABLE = "specialist_unavailable"
    CLINIC_REQUEST = "clinic_request"
    DUPLICATE = "duplicate"
    DELETED = "deleted"
    OTHER = "other"


class CancelActor(models.TextChoices):
    """Who cancelled."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    CLINIC = "clinic"
    SYSTEM = "system"


class RoomStatus(models.TextChoices):
    """How far the video room is."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


def cancel_until(started_at: datetime, cutoff_hours: int) -> datetime:
    """Return the last instant at which a patient may cancel or reschedule."""
    return started_at - timedelta(hours=cutoff_hours)


def room_name(organization_id: int, appointment_id: int) -> str:
    """Return the video room's name at the provider."""
    return f"restartix-{organization_id}-{appointment_id}"


class Appointment(Timestamped, TenantModel):
    """A patient's time with a specialist, from `started_at` up to but not at `ended_at`.

    While `booked` it knows only a contact; the patient is linked by onboarding. Source: contract/scheduling.md 1.1.
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=AppointmentStatus)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    specialist = models.ForeignKey("profiles.Specialist", models.PROTECT, related_name="appointments")
    patient = models.ForeignKey("profiles.Patient", models.PROTECT, null=True, blank=True, related_name="appointments")
    specialty = models.ForeignKey("profiles.Specialty", models.PROTECT, null=True, blank=True, related_name="+")
    appointment_template = models.ForeignKey(
        "scheduling.AppointmentTemplate", models.PROTECT, null=True, blank=True, related_name="appointments"
    )
    contact_name = models.CharField(max_length=200, null=True, blank=True)
    contact_email = models.EmailField(max_length=254, null=True, blank=True)
    contact_phone = SealedTextField(null=True, blank=True)
    contact_phone_hash = models.BinaryField(max_length=32, null=True, blank=True, editable=False)
    source = models.CharField(max_length=8, choices=Source)
    mode = models.CharField(max_length=10, choices=Mode, default=Mode.IN_PERSON)
    location = models.CharField(max_length=200, null=True, blank=True)
    notes = models.TextField(max_length=5000, null=True, blank=True)
    patient_notes = models.TextField(max_length=1000, null=True, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3)
    gap_minutes = models.PositiveSmallIntegerField(default=0)
    cutoff_hours = models.PositiveSmallIntegerField(default=DEFAULT_CUTOFF_HOURS)
    patient_service_plan_id = models.BigIntegerField(null=True, blank=True)
    timezone = models.CharField(max_length=64)
    locale = models.CharField(max_length=35)
    booking_consents = models.JSONField(default=list, blank=True, editable=False)
    booking_digest = models.BinaryField(max_length=32, null=True, blank=True, editable=False)
    room_status = models.CharField(max_length=8, choices=RoomStatus, null=True, blank=True)
    room_url = models.CharField(max_length=500, null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    #: When the patient came through the door: a mark of the desk, no status.
    arrived_at = models.DateTimeField(null=True, blank=True)
    session_started_at = models.DateTimeField(null=True, blank=True)
    session_ended_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.ForeignKey("organizations.User", models.PROTECT, null=True, blank=True, related_name="+")
    cancel_actor = models.CharField(max_length=10, choices=CancelActor, null=True, blank=True)
    cancel_reason_code = models.CharField(max_length=24, choices=ReasonCode, null=True, blank=True)
    cancel_reason = models.CharField(max_length=500, null=True, blank=True)
    cancelled_late = models.BooleanField(null=True)
    reschedule_count = models.PositiveSmallIntegerField(default=0)
    rating_stars = models.PositiveSmallIntegerField(null=True, blank=True)
    rating_comment = models.CharField(max_length=1000, null=True, blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[AppointmentManager] = AppointmentManager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("specialist", name="appointment_specialist_same_organization"),
            SameOrganization("patient", name="appointment_patient_same_organization"),
            SameOrganization("specialty", name="appointment_specialty_same_organization"),
            SameOrganization("appointment_template", name="appointment_template_same_organization"),
            models.CheckConstraint(condition=Q(status__in=AppointmentStatus.values), name="appointment_status_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="appointment_source_known"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="appointment_mode_known"),
            models.CheckConstraint(
                condition=Q(room_status=None) | Q(room_status__in=RoomStatus.values),
                name="appointment_room_status_known",
            ),
            models.CheckConstraint(
                condition=Q(cancel_actor=None) | Q(cancel_actor__in=CancelActor.values),
                name="appointment_cancel_actor_known",
            ),
            models.CheckConstraint(
                condition=Q(cancel_reason_code=None) | Q(cancel_reason_code__in=ReasonCode.values),
                name="appointment_reason_code_known",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__gt=F("started_at"), ended_at__lte=F("started_at") + timedelta(hours=24)),
                name="appointment_lasts",
            ),
            models.CheckConstraint(
                condition=(Q(status="cancelled") & Q(cancelled_at__isnull=False, cancel_actor__isnull=False))
                | (~Q(status="cancelled") & Q(cancelled_at=None)),
                name="appointment_cancelled_has_moment",
            ),
            models.CheckConstraint(
                condition=~Q(status="booked") | Q(patient=None, contact_name__isnull=False),
                name="appointment_booked_has_contact",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["booked", "cancelled"]) | Q(patient__isnull=False),
                name="appointment_onboarded_has_patient",
            ),
            models.CheckConstraint(
                condition=Q(rating_stars=None, rated_at=None) | Q(rating_stars__range=(1, 5), rated_at__isnull=False),
                name="appointment_rating_bounds",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-started_at", "-id"], name="appointment_latest"),
            models.Index(fields=["organization", "status", "-started_at", "-id"], name="appointment_by_status"),
            models.Index(fields=["organization", "specialist", "started_at"], name="appointment_by_specialist"),
            models.Index(fields=["organization", "patient", "started_at"], name="appointment_by_patient"),
            models.Index(
                fields=["ended_at"],
                name="appointment_needs_room",
                condition=Q(mode="video", status__in=["upcoming", "confirmed", "inprogress"], deleted_at=None),
            ),
        ]

    class Privacy:
        identifying = {"patient", "contact_name", "contact_email", "contact_phone", "contact_phone_hash"}
        clinical = {"notes", "patient_notes", "cancel_reason", "rating_comment", "title"}
        secret = {"booking_digest", "room_url"}
        plain = {
            "id", "organization", "uid", "status", "started_at", "ended_at", "specialist", "specialty",
            "appointment_template", "source", "mode", "location", "price", "currency", "gap_minutes", "cutoff_hours",
            "patient_service_plan_id", "timezone", "locale", "booking_consents", "room_status", "confirmed_at",
            "arrived_at", "session_started_at", "session_ended_at", "cancelled_at", "cancelled_by", "cancel_actor",
            "cancel_reason_code", "cancelled_late", "reschedule_count", "rating_stars", "rated_at", "deleted_at",
            "created_at", "updated_at",
        }  # fmt: skip

    def __str__(self) -> str:
        return f"{self.title} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def cancel_until(self) -> datetime:
        """The last instant at which a patient may cancel or reschedule."""
        return cancel_until(self.started_at, self.cutoff_hours)

    @property
    def duration(self) -> timedelta:
        """How long the appointment lasts, without the gap after it."""
        return self.ended_at - self.started_at


class AppointmentStatusChange(TenantModel):
    """One move of an appointment along its lifecycle, kept for ever."""

    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="status_changes")
    from_status = models.CharField(max_length=10, choices=AppointmentStatus, null=True)
    to_status = models.CharField(max_length=10, choices=AppointmentStatus)
    at = models.DateTimeField(default=clock.now)
    by = models.ForeignKey("organizations.User", models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=500, null=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            SameOrganization("appointment", name="status_change_appointment_same_organization"),
            models.CheckConstraint(
                condition=Q(from_status=None) | Q(from_status__in=AppointmentStatus.values),
                name="status_change_from_known",
            ),
            models.CheckConstraint(condition=Q(to_status__in=AppointmentStatus.values), name="status_change_to_known"),
        ]
        indexes = [models.Index(fields=["organization", "appointment", "at"], name="status_change_history")]

    class Privacy:
        clinical = {"reason"}
        plain = {"id", "organization", "appointment", "from_status", "to_status", "at", "by"}

    def __str__(self) -> str:
        return f"{self.from_status} → {self.to_status}"
