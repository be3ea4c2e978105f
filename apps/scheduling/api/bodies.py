"""What scheduling's operations take. Source: contract/scheduling.md 1 and 3."""

from __future__ import annotations

from apps.profiles.models.consents import ConsentType
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models.appointments import ReasonCode
from apps.scheduling.models.templates import Mode
from restartix.kernel.api import fields
from restartix.kernel.api.serializers import Body, Query

#: `to` - `from`, in days.
LONGEST_WINDOW_DAYS = 30


class TimeslotsQuery(Query):
    """Which window of free times; dates of `timezone`, both inclusive."""

    appointment_template_id = fields.Id()
    from_ = fields.Date(required=False)
    to = fields.Date(required=False)
    timezone = fields.TimeZone(required=False)
    specialist_id = fields.Id(required=False)


class StreamQuery(Query):
    """Which template's times to watch."""

    appointment_template_id = fields.Id()
    specialist_id = fields.Id(required=False)


class TokenQuery(Query):
    """The token in the query, for clients that cannot set headers."""

    token = fields.Text(max_length=100, required=False)


class HoldBody(Body):
    """Which slot to keep."""

    appointment_template_id = fields.Id()
    start = fields.Instant()
    specialist_id = fields.Id(required=False, allow_null=True)
    client_id = fields.Uuid(required=False, allow_null=True)


class ContactBody(Body):
    """How the clinic reaches whoever books."""

    name = fields.Text(max_length=200)
    email = fields.Email()
    phone = fields.Phone()


class AgreementBody(Body):
    """A consent given with the booking."""

    type = fields.Choice(ConsentType)
    policy_version = fields.Text(max_length=32, required=False, allow_null=True)


class BookBody(Body):
    """A hold becomes an appointment."""

    hold_id = fields.Uuid()
    contact = ContactBody(required=False)
    notes = fields.Text(max_length=1000, required=False, allow_null=True)
    timezone = fields.TimeZone(required=False, allow_null=True)
    locale = fields.Locale(required=False, allow_null=True)
    consents = fields.ListOf(AgreementBody(), max_length=20, required=False)
    patient_id = fields.Id(required=False, allow_null=True)


class PublicCancelBody(Body):
    """Why the patient cancels, if they want to say."""

    reason = fields.Text(max_length=500, required=False, allow_null=True)


class TemplateBody(Body):
    """The writable fields of an appointment template."""

    examples = {"name": "First consultation", "mode": "in_person"}

    name = fields.Text(max_length=120)
    slug = fields.Slug(required=False)
    description = fields.Text(max_length=2000, required=False, allow_null=True)
    specialty_id = fields.Id(required=False, allow_null=True)
    duration_minutes = fields.Integer(min_value=5, max_value=480)
    gap_minutes = fields.Integer(min_value=0, max_value=120, required=False)
    slot_step_minutes = fields.Integer(min_value=5, max_value=600, required=False, allow_null=True)
    min_notice_minutes = fields.Integer(min_value=0, max_value=43200, required=False)
    horizon_days = fields.Integer(min_value=1, max_value=365, required=False)
    cancel_cutoff_hours = fields.Integer(min_value=0, max_value=168, required=False)
    price = fields.Money(required=False, allow_null=True)
    currency = fields.Currency(required=False)
    mode = fields.Choice(Mode, required=False)
    location = fields.Text(max_length=200, required=False, allow_null=True)
    color = fields.Colour(required=False)
    is_public = fields.Boolean(required=False)
    is_active = fields.Boolean(required=False)


class FormItem(Body):
    """A form to attach."""

    form_template_id = fields.Id()
    sort_order = fields.Integer(min_value=0, max_value=100_000, required=False)
    required_ = fields.Boolean(required=False)


class AttachFormsBody(Body):
    """Forms to attach, all or none."""

    forms = fields.ListOf(FormItem(), min_length=1, max_length=20)


class OfferItem(Body):
    """A specialist to attach."""

    specialist_id = fields.Id()
    priority = fields.Integer(min_value=1, max_value=100)
    is_active = fields.Boolean(required=False)


class AttachSpecialistsBody(Body):
    """Specialists to add or change; others stay."""

    specialists = fields.ListOf(OfferItem(), min_length=1, max_length=50)


class _Details(Body):
    examples = {"mode": "in_person"}

    title = fields.Text(max_length=200, required=False, allow_null=True)
    specialty_id = fields.Id(required=False, allow_null=True)
    mode = fields.Choice(Mode, required=False)
    location = fields.Text(max_length=200, required=False, allow_null=True)
    notes = fields.Text(max_length=5000, required=False, allow_null=True)
    patient_service_plan_id = fields.Id(required=False, allow_null=True)


class ContactChanges(Body):
    """What changes of the contact of a booking."""

    name = fields.Text(max_length=200, required=False)
    email = fields.Email(required=False)
    phone = fields.Phone(required=False)


class RatingBody(Body):
    """How the patient found the appointment; a rating without comment takes an earlier comment back."""

    stars = fields.Integer(min_value=1, max_value=5)
    comment = fields.Text(max_length=1000, required=False, allow_null=True)


class DetailsBody(_Details):
    """What may change of an appointment: details by the staff, notes and rating by the patient."""

    of_patient = ("patient_notes", "rating")
    of_staff = ("title", "specialty_id", "mode", "location", "notes", "patient_service_plan_id", "contact")

    title = fields.Text(max_length=200, required=False)
    contact = ContactChanges(required=False)
    patient_notes = fields.Text(max_length=1000, required=False, allow_null=True)
    rating = RatingBody(required=False)


class MoreFormsBody(Body):
    """Form templates of which the appointment is to have a form."""

    form_template_ids = fields.ListOf(fields.Id(), min_items=1, max_items=20, unique=True)


class AppointmentBody(_Details):
    """A new appointment at a time of staff's own choosing."""

    patient_id = fields.Id()
    specialist_id = fields.Id()
    started_at = fields.Instant(whole_minutes=True)
    ended_at = fields.Instant(whole_minutes=True, required=False)
    appointment_template_id = fields.Id(required=False, allow_null=True)


class FromTemplateBody(Body):
    """A new appointment of a template."""

    appointment_template_id = fields.Id()
    patient_id = fields.Id()
    specialist_id = fields.Id()
    started_at = fields.Instant(whole_minutes=True)
    notes = fields.Text(max_length=5000, required=False, allow_null=True)
    patient_service_plan_id = fields.Id(required=False, allow_null=True)


class StatusBody(Body):
    """The status to move to."""

    status = fields.Choice(AppointmentStatus)
    reason = fields.Text(max_length=500, required=False, allow_null=True)


class RescheduleBody(Body):
    """The new time, and perhaps another specialist."""

    started_at = fields.Instant(whole_minutes=True)
    ended_at = fields.Instant(whole_minutes=True, required=False)
    specialist_id = fields.Id(required=False)
    reason = fields.Text(max_length=500, required=False, allow_null=True)


class CancelBody(Body):
    """Why it is cancelled; staff have to say."""

    reason = fields.Text(max_length=500, required=False, allow_null=True)
    reason_code = fields.Choice(ReasonCode, required=False)
