"""Appointments over HTTP. Source: contract/scheduling.md 3.1, 4."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from django.db.models import QuerySet

from apps.profiles.api.of_patient import name_the_patient
from apps.profiles.models import Patient, Specialist, Specialty
from apps.scheduling.api import bodies, shapes
from apps.scheduling.api.filters import AppointmentFilters
from apps.scheduling.api.public import calendar_file
from apps.scheduling.errors import (
    AppointmentClosed,
    AppointmentTookPlace,
    ContactSettled,
    CutoffPassed,
    NotDone,
    NotReschedulable,
    NotYourAppointment,
    SlotUnavailable,
    TooEarly,
    TooLate,
)
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate, TemplateSpecialist
from apps.scheduling.models.appointments import Source
from apps.scheduling.selectors.offers import local_date
from apps.scheduling.services import appointments, details, ratings
from restartix.kernel import audit, clock
from restartix.kernel.api import queries
from restartix.kernel.api.includes import joined, prefetched
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import Forbidden, Invalid, InvalidTransition
from restartix.kernel.roles import ADMINS, DESK, MEMBERS, STAFF, Role


def today(view: Resource) -> date:
    """Return the date at the caller's clinic; UTC where no clinic is chosen."""
    return local_date(clock.now(), view.organization.timezone if view.organization else "UTC")


def named(body: dict[str, Any], **rows: QuerySet[Any]) -> dict[str, Any]:
    """Take the ids out of a body and return the rows that they name: `patient_id` names the `patient`.

    Raises Invalid (422) for all that are not there, the same for a foreign row and for none.
    """
    keys = {name: body.pop(f"{name}_id", None) for name in rows}
    found = {name: None if key is None else rows[name].filter(pk=key).first() for name, key in keys.items()}
    absent = [name for name, row in found.items() if row is None and keys[name] is not None]
    if absent:
        raise Invalid({f"{name}_id": ["not found"] for name in absent})
    return found


#: Service plans come with treatment plans; until then no id names one.
NO_PLANS = Patient.objects.none()


class AppointmentResource(Resource):
    """What every operation about appointments shares: which rows there are, and who acts as the patient."""

    serializer_class = shapes.AppointmentShape
    tag = "Appointments"

    def rows(self) -> QuerySet[Appointment]:
        """Return what the caller may see."""
        return Appointment.objects.visible_to(self.actor, today=today(self))

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Join what every representation needs."""
        return queryset.select_related("specialist", "patient__person", "cancelled_by", "organization")

    def again(self, appointment: Appointment) -> Appointment:
        """Return the appointment as it is now, with what its representation needs."""
        found: Appointment = self.prepare(Appointment.objects.filter(pk=appointment.pk)).get()
        return found

    def as_patient(self, row: Appointment) -> bool:
        """Tell whether the caller acts as the patient: not assigned to it, and not of the clinic's staff.

        Raises Forbidden (403) for a caregiver who may only look.
        """
        if appointments.is_assigned(row, self.actor) or self.actor.effective_role in DESK:
            return False
        managed = Patient.objects.own(self.actor, today=today(self), permission="manage")
        if row.patient_id is None or not managed.filter(pk=row.patient_id).exists():
            raise Forbidden
        return True

    def note_reading(self, row: Appointment | None, patient_id: int | None) -> None:
        """Leave the audit row of somebody reading one patient's data; the patient's own reading leaves none."""
        if patient_id is None or self.organization is None:
            return
        own = Patient.objects.filter(person__user_id=self.actor.own_user_id or 0, pk=patient_id)
        if not own.exists():
            audit.read("appointment", row.pk if row else None, patient_id=patient_id)


class Appointments(AppointmentResource):
    """Appointments: a patient's time with a specialist."""

    filterset_class = AppointmentFilters
    sortable = ("started_at", "ended_at", "created_at", "status", "id")
    default_sort = "-started_at"
    location = "/v1/appointments/{id}"
    includes: ClassVar = {
        "appointment_template": joined("appointment_template"),
        "specialty": joined("specialty"),
        "user": joined("patient__person__user"),
        "forms": joined(),
        "documents": joined(),
        "custom_field_values": joined(),
        "status_history": prefetched("status_changes"),
    }
    may: ClassVar = {
        "list": MEMBERS,
        "create": STAFF,
        "create_from_template": STAFF,
        "retrieve": MEMBERS,
        "update": MEMBERS,
        "destroy": ADMINS,
        "change_status": MEMBERS,
        "reschedule": MEMBERS,
        "cancel": MEMBERS,
        "ics": MEMBERS,
    }

    def permit(self) -> None:
        """Refuse caregivers who may only look, whatever the body says; name the patient whom caregivers act for."""
        if self.row is not None and self.row.patient and not appointments.is_assigned(self.row, self.actor):
            name_the_patient(self, self.row.patient)
        if self.action in {"change_status", "reschedule", "cancel"}:
            as_patient = self.as_patient(self.row)
            if self.action == "reschedule" and as_patient and "ended_at" in self.sent.peek():
                raise Forbidden("Patients move an appointment as a whole: its length stays.")
            if self.action == "reschedule" and not as_patient:
                self._refuse_time_of_others()
        if self.action in {"create", "create_from_template"}:
            self._refuse_time_of_others()
        if self.action == "update":
            self._refuse_what_others_say()

    def _refuse_time_of_others(self) -> None:
        """Refuse specialists who name another one, before anything else of the body is looked at.

        Raises NotYourAppointment (403).
        """
        named_one = self.sent.peek().get("specialist_id")
        if self.actor.effective_role != Role.SPECIALIST or type(named_one) is not int:
            return
        own = Specialist.objects.alive().filter(user_id=self.actor.user_id or 0)
        if named_one not in own.values_list("pk", flat=True):
            raise NotYourAppointment

    def _refuse_what_others_say(self) -> None:
        """Refuse patients what staff say of an appointment, and staff what its patient says."""
        as_patient = self.as_patient(self.row)
        others = bodies.DetailsBody.of_staff if as_patient else bodies.DetailsBody.of_patient
        sent = [name for name in self.sent.peek() if name in others]
        if sent:
            raise Forbidden(f"Only {'staff' if as_patient else 'the patient'} may change {', '.join(sent)}.")

    @operation()
    def list(self) -> Any:
        """List appointments."""
        listing = super().list()
        self.note_reading(None, queries.integer(self.request.GET.get("patient_id", "")))
        return listing

    @operation()
    def retrieve(self, row: Appointment) -> Any:
        """Get an appointment."""
        self.note_reading(row, row.patient_id)
        return row

    @operation(body=bodies.AppointmentBody, status=201, errors=(SlotUnavailable,))
    def create(self, body: dict[str, Any]) -> Any:
        """Create an appointment at any time of day."""
        rows = named(
            body,
            patient=Patient.objects.alive(),
            specialist=Specialist.objects.alive(),
            appointment_template=AppointmentTemplate.objects.alive(),
            specialty=Specialty.objects.all(),
            patient_service_plan=NO_PLANS,
        )
        template = rows.pop("appointment_template")
        return self.again(appointments.create(template=template, by=self.actor, **rows, **body))

    @operation(body=bodies.FromTemplateBody, status=201, needs_organization=True, errors=(SlotUnavailable,))
    def create_from_template(self, body: dict[str, Any]) -> Any:
        """Create an appointment of a template, with its forms."""
        offers = TemplateSpecialist.objects.filter(template_id=body["appointment_template_id"], is_active=True)
        rows = named(
            body,
            appointment_template=AppointmentTemplate.objects.alive().filter(is_active=True),
            patient=Patient.objects.alive(),
            specialist=Specialist.objects.alive().filter(pk__in=offers.values("specialist_id")),
            patient_service_plan=NO_PLANS,
        )
        template = rows.pop("appointment_template")
        made = appointments.create(template=template, source=Source.TEMPLATE, by=self.actor, **rows, **body)
        self.included = ("forms",)
        return self.again(made)

    @operation(
        body=bodies.DetailsBody,
        request_example={"title": "Second look", "specialty_id": 3, "mode": "in_person", "location": "Room 3"},
        errors=(AppointmentClosed, ContactSettled, NotDone, TooLate),
    )
    def update(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Change the fields that are sent: staff the details, patients their notes and their rating."""
        if not self.as_patient(row):
            named({**body}, specialty=Specialty.objects.all(), patient_service_plan=NO_PLANS)
            return self.again(details.update(row, by=self.actor, **body))
        if "patient_notes" in body:
            details.note_as_patient(row, by=self.actor, patient_notes=body["patient_notes"])
        if "rating" in body:
            ratings.rate(row, by=self.actor, **body["rating"])
        return self.again(row)

    @operation(errors=(AppointmentTookPlace,))
    def destroy(self, row: Appointment) -> None:
        """Delete an appointment; an active one is cancelled first."""
        appointments.remove(row, by=self.actor)

    @operation(body=bodies.StatusBody, errors=(InvalidTransition, TooEarly, TooLate))
    def change_status(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Move an appointment along its lifecycle."""
        to = AppointmentStatus(body["status"])
        return self.again(appointments.change_status(row, to=to, by=self.actor, reason=body.get("reason")))

    @operation(body=bodies.RescheduleBody, errors=(InvalidTransition, SlotUnavailable, CutoffPassed, NotReschedulable))
    def reschedule(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Move an appointment to another time or specialist."""
        as_patient = self.as_patient(row)
        rows = named(body, specialist=Specialist.objects.alive())
        return self.again(appointments.reschedule(row, as_patient=as_patient, by=self.actor, **rows, **body))

    @operation(body=bodies.CancelBody, errors=(InvalidTransition, CutoffPassed))
    def cancel(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Cancel an appointment."""
        as_patient = self.as_patient(row)
        return self.again(appointments.cancel(row, as_patient=as_patient, by=self.actor, **body))

    @operation(produces=("text/calendar", "application/json"))
    def ics(self, row: Appointment) -> Any:
        """Get an appointment as a calendar file."""
        self.note_reading(row, row.patient_id)
        return calendar_file(row)
