"""What the operations on appointments and their templates give. Source: contract/scheduling.md 1.1, 1.3, 3.1, 3.3."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from rest_framework import serializers

from apps.forms.models import CustomField, EntityType
from apps.forms.selectors import values
from apps.organizations.api.shapes import UserRef
from apps.organizations.selectors import images
from apps.profiles.api.custom_values import ProfileValue
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.models.appointments import CancelActor, ReasonCode, RoomStatus, Source, cancel_until, room_name
from apps.scheduling.models.templates import Mode
from apps.scheduling.services import paperwork
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Representation
from restartix.kernel.roles import Role


def _of_the_answer(
    shape: Representation, name: str, ask: Callable[[list[Any]], Mapping[Any, Any]]
) -> Mapping[Any, Any]:
    """Return what `ask` says of all rows of the answer that `shape` is part of; asked once an answer."""
    shared = cast("dict[str, Any]", shape.context)  # one dictionary for all rows
    if name not in shared:
        rows = shape.instance if shape.parent is None else shape.parent.instance
        shared[name] = ask(list(rows) if isinstance(rows, Iterable) else [rows])
    found: Mapping[Any, Any] = shared[name]
    return found


class TemplateForm(Representation):
    """A form that comes with every appointment of the template."""

    form_template_id = serializers.IntegerField()
    name = serializers.CharField()
    type = serializers.CharField()
    sort_order = serializers.IntegerField()
    required_ = serializers.BooleanField()


class TemplateOffer(Representation):
    """Who offers the template; lower priority numbers are tried first."""

    examples = {"name": "Dr. Ana Popa"}

    specialist_id = serializers.IntegerField()
    name = serializers.CharField(source="specialist.name")
    priority = serializers.IntegerField()
    is_active = serializers.BooleanField()


class AppointmentTemplateShape(Representation):
    """What a clinic offers to be booked."""

    withheld = ("forms",)
    examples = {"name": "First consultation", "mode": "in_person", "forms": []}

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
        """Return the forms that come with its appointments, by sort order, then id."""
        forms = _of_the_answer(self, "forms_of_templates", paperwork.kept().of_templates)
        return TemplateForm(forms.get(template.pk, ()), many=True).data  # type: ignore[return-value]

    def get_specialists(self, template: AppointmentTemplate) -> list[TemplateOffer]:
        """Return who offers it, by priority, then id; patients see the active ones."""
        offers = [offer for offer in template.offers.all() if offer.is_active or not self._is_patient()]
        offers.sort(key=lambda offer: (offer.priority, offer.specialist_id))
        return TemplateOffer(offers, many=True).data  # type: ignore[return-value]


class AppointmentSpecialist(Representation):
    """The specialist of an appointment."""

    examples = {"id": 5, "name": "Dr. Ana Popa", "title": "Physiotherapist"}

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    title = serializers.CharField(allow_null=True)
    avatar_url = fields.Computed(fields.Url(allow_null=True), "avatar", by=images.address_of)


class AppointmentPatient(Representation):
    """The patient of an appointment."""

    examples = {"id": 501}

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
    room_name = fields.Computed(fields.Text(max_length=64), "organization_id", "pk", by=room_name)
    room_url = serializers.CharField(allow_null=True)


class StaffRef(Representation):
    """A user, as the clinic's staff name them; where patients see one, it is without the e-mail."""

    withheld = ("email",)

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    email = fields.Email()


class CancellationShape(Representation):
    """When, by whom and why an appointment was cancelled."""

    at = fields.Instant(source="cancelled_at")
    actor = fields.Choice(CancelActor, source="cancel_actor")
    by = StaffRef(source="cancelled_by", allow_null=True)
    reason_code = fields.Choice(ReasonCode, source="cancel_reason_code")
    reason = serializers.CharField(source="cancel_reason", allow_null=True)
    late = serializers.BooleanField(source="cancelled_late")

    def get_fields(self) -> dict[str, serializers.Field]:
        """Leave out the e-mail of others for patients."""
        shown, actor = super().get_fields(), self.context.get("actor")
        if actor is not None and actor.effective_role == Role.PATIENT:
            shown["by"] = UserRef(source="cancelled_by", allow_null=True)
        return shown


class RatingShape(Representation):
    """How the patient rated the appointment."""

    stars = serializers.IntegerField(source="rating_stars")
    comment = serializers.CharField(source="rating_comment", allow_null=True)
    rated_at = fields.Instant()


class IncludedTemplate(Representation):
    """The template of an appointment, embedded."""

    examples = {"id": 12, "name": "First consultation"}

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    color = serializers.CharField()


class IncludedSpecialty(Representation):
    """The specialty of an appointment, embedded."""

    examples = {"id": 3, "title": "Knee rehabilitation"}

    id = serializers.IntegerField(source="pk")
    title = serializers.CharField()


class StatusChangeShape(Representation):
    """One move of an appointment."""

    examples = {"from": "booked", "to": "upcoming", "reason": None}

    from_ = fields.Choice(AppointmentStatus, source="from_status", allow_null=True)
    to = fields.Choice(AppointmentStatus, source="to_status")
    at = fields.Instant()
    by = StaffRef(allow_null=True)
    reason = serializers.CharField(allow_null=True)


#: What patients do not receive of an appointment. Source: contract/scheduling.md 1.1.
STAFF_ONLY = ("notes", "contact", "source", "status_history")


class AppointmentShape(Representation):
    """A patient's time with a specialist."""

    withheld = STAFF_ONLY
    settling = ("videocall",)
    on_request = (
        "appointment_template",
        "specialty",
        "user",
        "forms",
        "documents",
        "custom_field_values",
        "status_history",
    )
    examples = {
        "status": "upcoming", "mode": "in_person", "videocall": None, "session_started_at": None,
        "session_ended_at": None, "cancellation": None, "rating": None, "patient_service_plan_id": None,
        "confirmed_at": None, "forms": [], "documents": [], "custom_field_values": [],
    }  # fmt: skip

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
    contact = fields.Part(ContactShape(), when="contact_name")
    source_ = fields.Choice(Source)
    mode = fields.Choice(Mode)
    location = serializers.CharField(allow_null=True)
    notes = serializers.CharField(allow_null=True)
    patient_notes = serializers.CharField(allow_null=True)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    patient_service_plan_id = serializers.IntegerField(allow_null=True)
    videocall = fields.Part(VideocallShape(), when="room_status")
    confirmed_at = fields.Instant(allow_null=True)
    session_started_at = fields.Instant(allow_null=True)
    session_ended_at = fields.Instant(allow_null=True)
    cancellation = fields.Part(CancellationShape(), when="cancelled_at")
    cancel_until = fields.Computed(fields.Instant(), "started_at", "cutoff_hours", by=cancel_until)
    reschedule_count = serializers.IntegerField()
    rating = fields.Part(RatingShape(), when="rated_at")
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

    def get_user(self, appointment: Appointment) -> UserRef | None:
        """Return the patient's user."""
        user = appointment.patient.person.user if appointment.patient else None
        return UserRef(user, context=self.context).data if user else None  # type: ignore[return-value]

    def get_forms(self, appointment: Appointment) -> list[dict[str, Any]]:
        """Return the forms that the caller may see, as lists show them."""
        actor = self.context["actor"]
        forms = _of_the_answer(self, "forms", lambda rows: paperwork.kept().of(rows, seen_by=actor))
        return list(forms.get(appointment.pk, ()))

    def get_documents(self, appointment: Appointment) -> list[dict[str, Any]]:
        """Return no document: they come with the documents domain."""
        return []

    def get_custom_field_values(self, appointment: Appointment) -> list[ProfileValue]:
        """Return every custom field of appointments, unset: only forms fill them in, and there are none yet."""
        known = _of_the_answer(self, "fields_of_appointments", self._custom_fields)
        return _unset(known.get(appointment.organization_id, ()))

    def _custom_fields(self, _rows: list[Any]) -> Mapping[int | None, list[CustomField]]:
        """Return the fields that the caller may see, by organization: private ones are for staff."""
        grouped: defaultdict[int | None, list[CustomField]] = defaultdict(list)
        is_staff = self.context["actor"].effective_role != Role.PATIENT
        for each in values.fields_of(EntityType.APPOINTMENT, private=is_staff):
            grouped[each.organization_id].append(each)
        return grouped


def _unset(known: Iterable[CustomField]) -> list[ProfileValue]:
    return list(ProfileValue(values.answers(known, []), many=True).data)


class AttachedForms(Representation):
    """The forms that were made, and the ids of those that were there already."""

    created = fields.ListOf(fields.Object())
    existing = fields.ListOf(fields.Id())


class CalendarFeedShape(Representation):
    """A specialist's feed, without its address."""

    created_at = fields.Instant()
    last_used_at = fields.Instant(allow_null=True)


class NewCalendarFeedShape(CalendarFeedShape):
    """A feed with its address, which is shown this once."""

    url = serializers.CharField()
