"""Appointments, their templates and calendar feeds over HTTP. Source: contract/scheduling.md 3.1, 3.3, 4."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, ClassVar

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponse

from apps.profiles.api.of_patient import name_the_patient
from apps.profiles.models import Patient, Specialist, Specialty
from apps.scheduling.api import bodies, shapes
from apps.scheduling.api.filters import AppointmentFilters, TemplateFilters
from apps.scheduling.api.public import calendar_file
from apps.scheduling.errors import (
    AppointmentTookPlace,
    CutoffPassed,
    NotReschedulable,
    SlotUnavailable,
    TooEarly,
    TooLate,
)
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate, CalendarFeed, TemplateSpecialist
from apps.scheduling.models.appointments import Source
from apps.scheduling.selectors.invitations import feed_of
from apps.scheduling.selectors.offers import local_date
from apps.scheduling.services import appointments, feeds, templates
from restartix.environment import env
from restartix.kernel import audit, clock
from restartix.kernel.api import etags, queries
from restartix.kernel.api.includes import joined, prefetched
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.throttling import Limit
from restartix.kernel.crypto import token_digest
from restartix.kernel.errors import AlreadyTaken, Conflict, Forbidden, Invalid, InvalidTransition, NotFound
from restartix.kernel.roles import ADMINS, DESK, MEMBERS, PUBLIC, STAFF


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
_NO_PLANS = Patient.objects.none()


class Appointments(Resource):
    """Appointments: a patient's time with a specialist."""

    serializer_class = shapes.AppointmentShape
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
        "destroy": ADMINS,
        "change_status": MEMBERS,
        "reschedule": MEMBERS,
        "cancel": MEMBERS,
        "ics": MEMBERS,
    }

    def rows(self) -> QuerySet[Appointment]:
        """Return what the caller may see."""
        return Appointment.objects.visible_to(self.actor, today=today(self))

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Join what every representation needs."""
        return queryset.select_related("specialist", "patient__person", "cancelled_by", "organization")

    def permit(self) -> None:
        """Refuse caregivers who may only look, whatever the body says; name the patient whom caregivers act for."""
        if self.row is not None and self.row.patient and not appointments.is_assigned(self.row, self.actor):
            name_the_patient(self, self.row.patient)
        if self.action in {"change_status", "reschedule", "cancel"}:
            self._as_patient(self.row)

    def _again(self, appointment: Appointment) -> Appointment:
        found: Appointment = self.prepare(Appointment.objects.filter(pk=appointment.pk)).get()
        return found

    def _as_patient(self, row: Appointment) -> bool:
        """Tell whether the caller acts as the patient: not assigned to it, and not of the clinic's staff.

        Raises Forbidden (403) for a caregiver who may only look.
        """
        if appointments.is_assigned(row, self.actor) or self.actor.effective_role in DESK:
            return False
        managed = Patient.objects.own(self.actor, today=today(self), permission="manage")
        if row.patient_id is None or not managed.filter(pk=row.patient_id).exists():
            raise Forbidden
        return True

    @operation()
    def list(self) -> Any:
        """List appointments."""
        listing = super().list()
        self._note_reading(None, queries.integer(self.request.GET.get("patient_id", "")))
        return listing

    @operation()
    def retrieve(self, row: Appointment) -> Any:
        """Get an appointment."""
        self._note_reading(row, row.patient_id)
        return row

    def _note_reading(self, row: Appointment | None, patient_id: int | None) -> None:
        """Leave the audit row of somebody reading one patient's data; the patient's own reading leaves none."""
        if patient_id is None or self.organization is None:
            return
        own = Patient.objects.filter(person__user_id=self.actor.own_user_id or 0, pk=patient_id)
        if not own.exists():
            audit.read("appointment", row.pk if row else None, patient_id=patient_id)

    @operation(body=bodies.AppointmentBody, status=201, errors=(SlotUnavailable,))
    def create(self, body: dict[str, Any]) -> Any:
        """Create an appointment at any time of day."""
        rows = named(
            body,
            patient=Patient.objects.alive(),
            specialist=Specialist.objects.alive(),
            appointment_template=AppointmentTemplate.objects.alive(),
            specialty=Specialty.objects.all(),
            patient_service_plan=_NO_PLANS,
        )
        template = rows.pop("appointment_template")
        return self._again(appointments.create(template=template, by=self.actor, **rows, **body))

    @operation(body=bodies.FromTemplateBody, status=201, needs_organization=True, errors=(SlotUnavailable,))
    def create_from_template(self, body: dict[str, Any]) -> Any:
        """Create an appointment of a template, with its forms."""
        offers = TemplateSpecialist.objects.filter(template_id=body["appointment_template_id"], is_active=True)
        rows = named(
            body,
            appointment_template=AppointmentTemplate.objects.alive().filter(is_active=True),
            patient=Patient.objects.alive(),
            specialist=Specialist.objects.alive().filter(pk__in=offers.values("specialist_id")),
            patient_service_plan=_NO_PLANS,
        )
        template = rows.pop("appointment_template")
        made = appointments.create(template=template, source=Source.TEMPLATE, by=self.actor, **rows, **body)
        self.included = ("forms",)
        return self._again(made)

    @operation(errors=(AppointmentTookPlace,))
    def destroy(self, row: Appointment) -> None:
        """Delete an appointment; an active one is cancelled first."""
        appointments.remove(row, by=self.actor)

    @operation(body=bodies.StatusBody, errors=(InvalidTransition, TooEarly, TooLate))
    def change_status(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Move an appointment along its lifecycle."""
        to = AppointmentStatus(body["status"])
        return self._again(appointments.change_status(row, to=to, by=self.actor, reason=body.get("reason")))

    @operation(body=bodies.RescheduleBody, errors=(InvalidTransition, SlotUnavailable, CutoffPassed, NotReschedulable))
    def reschedule(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Move an appointment to another time or specialist."""
        as_patient = self._as_patient(row)
        if as_patient and "ended_at" in body:
            raise Forbidden("Patients move an appointment as a whole: its length stays.")
        rows = named(body, specialist=Specialist.objects.alive())
        return self._again(appointments.reschedule(row, as_patient=as_patient, by=self.actor, **rows, **body))

    @operation(body=bodies.CancelBody, errors=(InvalidTransition, CutoffPassed))
    def cancel(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Cancel an appointment."""
        as_patient = self._as_patient(row)
        return self._again(appointments.cancel(row, as_patient=as_patient, by=self.actor, **body))

    @operation(produces=("text/calendar", "application/json"))
    def ics(self, row: Appointment) -> Any:
        """Get an appointment as a calendar file."""
        self._note_reading(row, row.patient_id)
        return calendar_file(row)


class AppointmentTemplates(Resource):
    """Appointment templates: what a clinic offers to be booked."""

    serializer_class = shapes.AppointmentTemplateShape
    filterset_class = TemplateFilters
    sortable = ("name", "created_at", "duration_minutes", "price", "id")
    default_sort = "name"
    location = "/v1/appointment-templates/{id}"
    may: ClassVar = {
        "list": MEMBERS,
        "create": ADMINS,
        "retrieve": MEMBERS,
        "update": ADMINS,
        "destroy": ADMINS,
        "attach_forms": ADMINS,
        "detach_form": ADMINS,
        "attach_specialists": ADMINS,
        "detach_specialist": ADMINS,
    }

    def rows(self) -> QuerySet[AppointmentTemplate]:
        """Return what the caller may see."""
        return AppointmentTemplate.objects.visible_to(self.actor)

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Fetch the specialists of all rows by one more query."""
        return queryset.prefetch_related("offers__specialist")

    def _again(self, template: AppointmentTemplate) -> AppointmentTemplate:
        found: AppointmentTemplate = self.prepare(AppointmentTemplate.objects.filter(pk=template.pk)).get()
        return found

    @operation(body=bodies.TemplateBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> Any:
        """Create an appointment template."""
        named({**body}, specialty=Specialty.objects.all())
        return self._again(templates.create(by=self.actor, **body))

    @operation(body=bodies.TemplateBody, errors=(AlreadyTaken,))
    def update(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Change the fields that are sent."""
        named({**body}, specialty=Specialty.objects.all())
        return self._again(templates.update(row, by=self.actor, **body))

    @operation(errors=(Conflict,))
    def destroy(self, row: AppointmentTemplate) -> None:
        """Delete an appointment template; its live holds are released."""
        templates.remove(row, by=self.actor)

    @operation(body=bodies.AttachFormsBody, errors=(Conflict,))
    def attach_forms(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Attach form templates."""
        raise Invalid({f"forms[{index}].form_template_id": ["not found"] for index in range(len(body["forms"]))})

    @operation()
    def detach_form(self, row: AppointmentTemplate, form_template_id: int) -> None:
        """Detach a form template."""
        raise NotFound

    @operation(body=bodies.AttachSpecialistsBody)
    def attach_specialists(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Add specialists, or change their priority."""
        return self._again(templates.attach_specialists(row, body["specialists"], by=self.actor))

    @operation()
    def detach_specialist(self, row: AppointmentTemplate, specialist_id: int) -> None:
        """Take a specialist off the template."""
        templates.detach_specialist(row, specialist_id, by=self.actor)


class CalendarFeeds(Resource):
    """Calendar feeds: a secret address for a specialist's own calendar program."""

    tag = "Appointments"
    may: ClassVar = {"show": STAFF, "issue": STAFF, "revoke": STAFF}

    def rows(self) -> QuerySet[Specialist]:
        """Return the specialists; the path names one."""
        return Specialist.objects.alive()

    def permit(self) -> None:
        """Let the specialist do everything and admins look and revoke."""
        is_own = self.row.user_id is not None and self.row.user_id == self.actor.staff_user_id
        if not is_own and (self.action == "issue" or self.actor.effective_role not in ADMINS):
            raise Forbidden

    @operation(returns=shapes.CalendarFeedShape)
    def show(self, row: Specialist) -> Any:
        """Get the feed, without its address."""
        feed = CalendarFeed.objects.filter(specialist=row).first()
        if feed is None:
            raise NotFound
        return feed

    @operation(body=None, returns=shapes.NewCalendarFeedShape, status=201, also=(200,))
    def issue(self, row: Specialist) -> Any:
        """Make the feed, or give it a new address; it is shown this once."""
        issued = feeds.issue(row, by=self.actor)
        issued.feed.url = f"{env.public_url}/v1/calendar-feeds/{issued.token}.ics"  # type: ignore[attr-defined]
        return issued.feed if issued.is_new else Answered(issued.feed, status=200)

    @operation()
    def revoke(self, row: Specialist) -> None:
        """Kill the feed's address."""
        feeds.revoke(row, by=self.actor)


class PublicFeeds(Resource):
    """Public feeds: a specialist's appointments, as calendar programs read them."""

    tag = "Appointments"
    may: ClassVar = {"read": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the feed at this address."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT scheduling_organization_of_feed(%s)", [token_digest(self.kwargs["token"])])
            row = cursor.fetchone()
        return row[0] if row else None

    @operation(
        limits=(Limit("feed", "60/m", by=lambda kwargs: token_digest(kwargs["token"]).hex()),),
        produces=("text/calendar", "application/json"),
        errors=(NotFound,),
    )
    def read(self, token: str) -> Any:
        """Get the feed."""
        if self.organization is None:
            raise NotFound
        content = feed_of(feeds.find(token=token))
        etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if etags.matches(self.request.headers.get("If-None-Match", ""), etag, weak=True):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)
