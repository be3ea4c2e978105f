"""What scheduling's operations give. Source: contract/scheduling.md 1 and 3."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from apps.profiles.models import Specialist
from apps.scheduling.lifecycles import AppointmentStatus, HoldStatus
from apps.scheduling.models import Appointment, AppointmentTemplate, Hold
from apps.scheduling.models.appointments import CancelActor, ReasonCode, RoomStatus, Source
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import holds
from restartix.environment import env
from restartix.kernel import clock
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation
from restartix.kernel.roles import Role


def avatar_url(specialist: Specialist) -> str | None:
    """Return the public address of the specialist's picture."""
    return f"{env.public_url}/v1/public/images/{specialist.avatar}" if specialist.avatar else None


class OfferedSpecialist(Representation):
    """A specialist as the public sees one."""

    specialist_id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    avatar_url = serializers.SerializerMethodField()

    def get_avatar_url(self, specialist: Specialist) -> str | None:
        """Return the public address of the picture."""
        return avatar_url(specialist)


class Slot(Representation):
    """A free start, with the specialists who can take it by priority, then id."""

    start = fields.Instant()
    end = fields.Instant()
    local_date = fields.Date()
    local_time = serializers.CharField()
    utc_offset = serializers.CharField()
    specialist_ids = serializers.ListField(child=serializers.IntegerField())


class TimeslotsShape(Representation):
    """The free times of a template in a window."""

    appointment_template_id = serializers.IntegerField()
    timezone = serializers.CharField()
    from_ = fields.Date()
    to = fields.Date()
    duration_minutes = serializers.IntegerField()
    slots = Slot(many=True)
    specialists = OfferedSpecialist(many=True)


class HoldShape(Representation):
    """A slot kept for one visitor."""

    hold_id = fields.Uuid()
    status = serializers.SerializerMethodField()
    appointment_template_id = serializers.IntegerField(source="template_id")
    specialist_id = serializers.IntegerField()
    start = fields.Instant(source="started_at")
    end = fields.Instant(source="ended_at")
    created_at = fields.Instant()
    expires_at = fields.Instant()
    max_expires_at = fields.Instant()
    lease_seconds = serializers.SerializerMethodField()

    def get_status(self, hold: Hold) -> HoldStatus:
        """Return the status that everybody is shown now."""
        return hold.status_at(clock.now())

    def get_lease_seconds(self, hold: Hold) -> int:
        """Return how far a renewal reaches."""
        return holds.terms().lease


class NewHoldShape(HoldShape):
    """A new hold; the token is shown this once."""

    hold_token = serializers.CharField(source="token")


class BookedTemplate(Representation):
    """The service that was booked."""

    appointment_template_id = serializers.IntegerField(source="pk")
    name = serializers.CharField()


class BookedOrganization(Representation):
    """The clinic that was booked at."""

    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    address = serializers.JSONField(allow_null=True)


class BookingView(Representation):
    """An appointment as whoever has the manage token sees it: no integer id but the two that are public."""

    uid = fields.Uuid()
    status = fields.Choice(AppointmentStatus)
    title = serializers.CharField()
    started_at = fields.Instant()
    ended_at = fields.Instant()
    timezone = serializers.CharField()
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    specialist = OfferedSpecialist()
    appointment_template = BookedTemplate()
    organization = BookedOrganization()
    cancel_until = fields.Instant()


class BookingConfirmation(BookingView):
    """A booking, with the token that manages it."""

    manage_token = serializers.CharField()


class OfferedTemplate(Representation):
    """A service that the public may book."""

    appointment_template_id = serializers.IntegerField(source="template.pk")
    name = serializers.CharField(source="template.name")
    slug = serializers.CharField(source="template.slug")
    description = serializers.CharField(source="template.description", allow_null=True)
    specialty = serializers.CharField(source="template.specialty.title", default=None, allow_null=True)
    duration_minutes = serializers.IntegerField(source="template.duration_minutes")
    price = serializers.DecimalField(source="template.price", max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField(source="template.currency")
    mode = fields.Choice(Mode, source="template.mode")
    location = serializers.CharField(source="template.location", allow_null=True)
    color = serializers.CharField(source="template.color")
    cancel_cutoff_hours = serializers.IntegerField(source="template.cancel_cutoff_hours")
    specialists = OfferedSpecialist(many=True)


class TemplateForm(Representation):
    """A form that comes with every appointment of the template."""

    form_template_id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField()
    sort_order = serializers.IntegerField()
    required_ = serializers.BooleanField()


class TemplateOffer(Representation):
    """Who offers the template; lower priority numbers are tried first."""

    specialist_id = serializers.IntegerField()
    name = serializers.CharField(source="specialist.name")
    priority = serializers.IntegerField()
    is_active = serializers.BooleanField()


class AppointmentTemplateShape(Representation):
    """What a clinic offers to be booked."""

    id = serializers.IntegerField()
    organization_id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    specialty_id = serializers.IntegerField(allow_null=True)
    duration_minutes = serializers.IntegerField()
    gap_minutes = serializers.IntegerField()
    slot_step_minutes = serializers.IntegerField()
    min_notice_minutes = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    cancel_cutoff_hours = serializers.IntegerField()
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    color = serializers.CharField()
    is_public = serializers.BooleanField()
    is_active = serializers.BooleanField()
    forms = serializers.SerializerMethodField()
    specialists = serializers.SerializerMethodField()
    created_at = fields.Instant()
    updated_at = fields.Instant()

    def get_fields(self) -> dict[str, serializers.Field]:
        """Leave `forms` out for patients."""
        shown = super().get_fields()
        if self._is_patient():
            shown.pop("forms")
        return shown

    def _is_patient(self) -> bool:
        actor = self.context.get("actor")
        return actor is not None and actor.effective_role == Role.PATIENT

    def get_forms(self, template: AppointmentTemplate) -> list[TemplateForm]:
        """Return no form: forms are attached once the forms domain is there."""
        return []

    def get_specialists(self, template: AppointmentTemplate) -> list[TemplateOffer]:
        """Return who offers it, by priority, then id; patients see the active ones."""
        offers = [offer for offer in template.offers.all() if offer.is_active or not self._is_patient()]
        offers.sort(key=lambda offer: (offer.priority, offer.specialist_id))
        return TemplateOffer(offers, many=True).data  # type: ignore[return-value]


class AppointmentSpecialist(Representation):
    """The specialist of an appointment."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    avatar_url = serializers.SerializerMethodField()

    def get_avatar_url(self, specialist: Specialist) -> str | None:
        """Return the public address of the picture."""
        return avatar_url(specialist)


class AppointmentPatient(Representation):
    """The patient of an appointment."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="person.name")
    user_id = serializers.IntegerField(source="person.user_id", allow_null=True)


class ContactShape(Representation):
    """How the clinic reaches whoever booked."""

    name = serializers.CharField(source="contact_name")
    email = serializers.CharField(source="contact_email", allow_null=True)
    phone = serializers.CharField(source="contact_phone", allow_null=True)


class VideocallShape(Representation):
    """The video room; its address only once it is ready."""

    status = fields.Choice(RoomStatus, source="room_status")
    room_name = serializers.CharField()
    room_url = serializers.CharField(allow_null=True)


class CancellationShape(Representation):
    """When, by whom and why an appointment was cancelled."""

    at = fields.Instant(source="cancelled_at")
    actor = fields.Choice(CancelActor, source="cancel_actor")
    by = serializers.SerializerMethodField()
    reason_code = fields.Choice(ReasonCode, source="cancel_reason_code")
    reason = serializers.CharField(source="cancel_reason", allow_null=True)
    late = serializers.BooleanField(source="cancelled_late")

    def get_by(self, appointment: Appointment) -> dict[str, Any] | None:
        """Return who cancelled, a UserRef; patients do not receive the e-mail."""
        user = appointment.cancelled_by
        if user is None:
            return None
        actor = self.context.get("actor")
        known = {"id": user.pk, "name": user.name}
        if actor is None or actor.effective_role == Role.PATIENT:
            return known if actor is None or actor.user_id != user.pk else {**known, "email": user.email}
        return {**known, "email": user.email}


class RatingShape(Representation):
    """How the patient rated the appointment."""

    stars = serializers.IntegerField(source="rating_stars")
    comment = serializers.CharField(source="rating_comment", allow_null=True)
    rated_at = fields.Instant()


class IncludedTemplate(Representation):
    """The template of an appointment, embedded."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    color = serializers.CharField()


class IncludedSpecialty(Representation):
    """The specialty of an appointment, embedded."""

    id = serializers.IntegerField(source="pk")
    title = serializers.CharField()


class StatusChangeShape(Representation):
    """One move of an appointment."""

    from_ = serializers.CharField(source="from_status", allow_null=True)
    to = serializers.CharField(source="to_status")
    at = fields.Instant()
    by = serializers.SerializerMethodField()
    reason = serializers.CharField(allow_null=True)

    def get_by(self, change: Any) -> dict[str, Any] | None:
        """Return who made the move, a UserRef."""
        return {"id": change.by.pk, "name": change.by.name, "email": change.by.email} if change.by else None


#: What patients do not receive of an appointment. Source: contract/scheduling.md 1.1.
STAFF_ONLY = ("notes", "contact", "source", "status_history")


class AppointmentShape(Representation):
    """A patient's time with a specialist."""

    on_request = (
        "appointment_template",
        "specialty",
        "user",
        "forms",
        "documents",
        "custom_field_values",
        "status_history",
    )

    id = serializers.IntegerField()
    organization_id = serializers.IntegerField()
    uid = fields.Uuid()
    title = serializers.CharField()
    status = fields.Choice(AppointmentStatus)
    started_at = fields.Instant()
    ended_at = fields.Instant()
    specialist_id = serializers.IntegerField()
    specialist = AppointmentSpecialist()
    patient_id = serializers.IntegerField(allow_null=True)
    patient = AppointmentPatient(allow_null=True)
    specialty_id = serializers.IntegerField(allow_null=True)
    appointment_template_id = serializers.IntegerField(allow_null=True)
    contact = serializers.SerializerMethodField()
    source_ = fields.Choice(Source)
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True)
    patient_notes = serializers.CharField(allow_null=True)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    patient_service_plan_id = serializers.IntegerField(allow_null=True)
    videocall = serializers.SerializerMethodField()
    confirmed_at = fields.Instant(allow_null=True)
    session_started_at = fields.Instant(allow_null=True)
    session_ended_at = fields.Instant(allow_null=True)
    cancellation = serializers.SerializerMethodField()
    cancel_until = fields.Instant()
    reschedule_count = serializers.IntegerField()
    rating = serializers.SerializerMethodField()
    created_at = fields.Instant()
    updated_at = fields.Instant()
    appointment_template = IncludedTemplate(allow_null=True)
    specialty = IncludedSpecialty(allow_null=True)
    user = serializers.SerializerMethodField()
    forms = serializers.SerializerMethodField()
    documents = serializers.SerializerMethodField()
    custom_field_values = serializers.SerializerMethodField()
    status_history = StatusChangeShape(many=True, source="status_changes")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Leave out what patients do not receive."""
        shown, actor = super().get_fields(), self.context.get("actor")
        if actor is not None and actor.effective_role == Role.PATIENT:
            for name in STAFF_ONLY:
                shown.pop(name, None)
        return shown

    def _part(self, shape: type[Representation], appointment: Appointment, *, present: bool) -> Any:
        return shape(appointment, context=self.context).data if present else None

    def get_contact(self, appointment: Appointment) -> ContactShape | None:
        """Return the contact that was left at the booking."""
        return self._part(ContactShape, appointment, present=appointment.contact_name is not None)  # type: ignore[no-any-return]

    def get_videocall(self, appointment: Appointment) -> VideocallShape | None:
        """Return the room of a video appointment once a patient is linked."""
        return self._part(VideocallShape, appointment, present=appointment.room_status is not None)  # type: ignore[no-any-return]

    def get_cancellation(self, appointment: Appointment) -> CancellationShape | None:
        """Return how it was cancelled."""
        return self._part(CancellationShape, appointment, present=appointment.cancelled_at is not None)  # type: ignore[no-any-return]

    def get_rating(self, appointment: Appointment) -> RatingShape | None:
        """Return the patient's rating."""
        return self._part(RatingShape, appointment, present=appointment.rated_at is not None)  # type: ignore[no-any-return]

    def get_user(self, appointment: Appointment) -> dict[str, Any] | None:
        """Return the patient's user, a UserRef."""
        user = appointment.patient.person.user if appointment.patient else None
        return {"id": user.pk, "name": user.name, "email": user.email} if user else None

    def get_forms(self, appointment: Appointment) -> list[dict[str, Any]]:
        """Return no form: forms are attached once the forms domain is there."""
        return []

    def get_documents(self, appointment: Appointment) -> list[dict[str, Any]]:
        """Return no document: they come with the documents domain."""
        return []

    def get_custom_field_values(self, appointment: Appointment) -> list[dict[str, Any]]:
        """Return no value: custom fields come with the forms domain."""
        return []


class CalendarFeedShape(Representation):
    """A specialist's feed, without its address."""

    created_at = fields.Instant()
    last_used_at = fields.Instant(allow_null=True)


class NewCalendarFeedShape(CalendarFeedShape):
    """A feed with its address, which is shown this once."""

    url = serializers.CharField()


def timeslots_data(found: Any, stamps: list[tuple[str, str, str]]) -> Mapping[str, Any]:
    """Return the answer of timeslots; written by hand, for a page holds thousands of slots."""
    template = found.offering.template
    duration = template.duration_minutes * 60
    return {
        "appointment_template_id": template.pk,
        "timezone": found.timezone,
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "duration_minutes": template.duration_minutes,
        "slots": [
            {
                "start": _utc(start),
                "end": _utc(start + duration),
                "local_date": local_date,
                "local_time": local_time,
                "utc_offset": offset,
                "specialist_ids": takers,
            }
            for (start, takers), (local_date, local_time, offset) in zip(found.slots, stamps, strict=True)
        ],
        "specialists": OfferedSpecialist([provider.specialist for provider in found.providers], many=True).data,
    }


_DAYS: dict[int, str] = {}


def _utc(second: int) -> str:
    day, rest = divmod(second, 86400)
    date = _DAYS.get(day)
    if date is None:
        if len(_DAYS) > 10_000:
            _DAYS.clear()
        date = _DAYS[day] = datetime.utcfromtimestamp(day * 86400).strftime("%Y-%m-%d")  # noqa: DTZ004 (days of UTC)
    return f"{date}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}Z"
