"""Public scheduling over HTTP: free times, holds, booking, the manage link. Source: contract/scheduling.md 3.4, 4."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponse

from apps.organizations.models import Organization
from apps.profiles.api.of_patient import name_the_patient
from apps.profiles.models import Patient
from apps.scheduling.api import bodies, watchers, watching
from apps.scheduling.api import public_shapes as shapes
from apps.scheduling.errors import (
    ConsentRequired,
    CutoffPassed,
    HoldAlreadyBooked,
    HoldExpired,
    HoldQuotaExceeded,
    SlotUnavailable,
    TooManyStreams,
)
from apps.scheduling.lifecycles import HoldStatus
from apps.scheduling.models import Appointment, Hold
from apps.scheduling.selectors import booking
from apps.scheduling.selectors.invitations import invitation
from apps.scheduling.selectors.offers import Offering, local_date, offering
from apps.scheduling.services import appointments, bookings, holds, management
from apps.scheduling.services.bookings import Agreement, Contact
from restartix.kernel import clock
from restartix.kernel.api.contexts import header_of
from restartix.kernel.api.filters import ApiFilterSet, By, Words
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.api.requests import client_ip
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import Invalid, InvalidTransition, NotFound
from restartix.kernel.roles import PUBLIC, STAFF, Role
from restartix.kernel.streams import HEADERS, RETRY_MILLISECONDS, Ticket, event
from restartix.kernel.tenancy import active_organization_id

TIMESLOTS = Limit("timeslots", "30/m")
HOLD = Limit("hold", "20/m")
HEARTBEAT = Limit("heartbeat", "60/m")
RELEASE = Limit("release", "30/m")
STREAM = Limit("stream", "10/m")
BOOK = Limit("book", "10/h")
MANAGE = Limit("manage", "30/m")


def look_up(function: str, key: Any) -> int | None:
    """Ask the database which organization the named resource belongs to, None if there is no such resource."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [key])
        row = cursor.fetchone()
    return row[0] if row else None


class PublicScheduling(Resource):
    """Scheduling: free times and holds, for everybody."""

    tag = "Scheduling"

    def permit(self) -> None:
        """Refuse a path that names nothing, whatever else is wrong. Raises NotFound (404)."""
        if self.kwargs:
            self.require_organization()

    def require_organization(self) -> None:
        """Raise NotFound (404) where what the request names belongs to no organization that is there."""
        if self.organization is None:
            raise NotFound

    def offered(self, template_id: int) -> Offering:
        """Return the template as the caller may book it; a staff token of its clinic opens those that are not public.

        Raises NotFound (404).
        """
        self.require_organization()
        is_staff = self.actor.effective_role in STAFF
        return offering(template_id, now=clock.now(), public_only=not is_staff)

    def token(self, header: str) -> str | None:
        """Return the token of the request: the header wins over the query."""
        return self.request.headers.get(header) or self.request.GET.get("token")

    def named_template(self, value: Any) -> int | None:
        """Return the organization of a template that a request names."""
        return look_up("scheduling_organization_of_template", value) if _is_id(value) else None


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


class Timeslots(PublicScheduling):
    """Timeslots: the free times of a template."""

    may: ClassVar = {"offer": PUBLIC, "stream": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the template's organization."""
        text = self.request.GET.get("appointment_template_id", "")
        return self.named_template(int(text)) if text.isascii() and text.isdigit() and len(text) < 20 else None

    @operation(
        query=bodies.TimeslotsQuery, returns=shapes.TimeslotsShape, limits=(TIMESLOTS,), errors=(NotFound,), etag=False
    )
    def offer(self, query: dict[str, Any]) -> Any:
        """Get the free times."""
        offered = self.offered(query["appointment_template_id"])
        timezone = query.get("timezone") or offered.timezone
        now = clock.now()
        first = query.get("from") or local_date(now, timezone)
        last = query.get("to") or first + timedelta(days=6)
        _check_window(first, last)
        found = booking.timeslots(
            offered, first=first, last=last, timezone=timezone, specialist_id=query.get("specialist_id"), now=now
        )
        return shapes.timeslots_data(found)

    def represent(self, value: Any, operation: Any) -> Any:
        """Write the answer as it was assembled: thousands of slots pass no serializer."""
        return value

    @operation(
        query=bodies.StreamQuery, limits=(STREAM,), produces=("text/event-stream",), errors=(NotFound,), etag=False
    )
    def stream(self, query: dict[str, Any]) -> Any:
        """Watch the template's times being taken and given back (server-sent events)."""
        offered = self.offered(query["appointment_template_id"])
        providers = booking.chosen(offered, query.get("specialist_id"))
        if "specialist_id" in query and not providers:
            raise NotFound
        specialists = tuple(provider.specialist.pk for provider in providers)
        return Ticket(specialists, event("ready", {"appointment_template_id": offered.template.pk}))


def _check_window(first: Any, last: Any) -> None:
    if last < first:
        raise Invalid({"to": ["has to be `from` or later"]})
    if (last - first).days > bodies.LONGEST_WINDOW_DAYS:
        raise Invalid({"to": ["at most 30 days after `from`, which makes 31 days in all"]})


class Holds(PublicScheduling):
    """Holds: a slot kept for one visitor, for a while."""

    lookup = "hold_id"
    may: ClassVar = {"create": PUBLIC, "renew": PUBLIC, "destroy": PUBLIC, "stream": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the hold, or of the template that is to be held."""
        if "hold_id" in self.kwargs:
            return look_up("scheduling_organization_of_hold", self.kwargs["hold_id"])
        body = self.sent.peek()
        return self.named_template(body.get("appointment_template_id")) if isinstance(body, dict) else None

    @operation(
        body=bodies.HoldBody,
        returns=shapes.NewHoldShape,
        status=201,
        limits=(HOLD,),
        errors=(NotFound, HoldQuotaExceeded, SlotUnavailable),
    )
    def create(self, body: dict[str, Any]) -> Any:
        """Keep a slot; the token in the answer is shown this once."""
        offered = self.offered(body["appointment_template_id"])
        source = holds.HoldSource(
            ip=client_ip(self.request), client_id=body.get("client_id"), user_id=self.actor.user_id
        )
        held, token = holds.hold(
            offering=offered,
            start=body["start"],
            specialist_id=body.get("specialist_id"),
            source=source,
            now=clock.now(),
        )
        held.token = token  # type: ignore[attr-defined]
        return held

    @operation(
        query=bodies.TokenQuery,
        returns=shapes.HoldShape,
        limits=(HEARTBEAT,),
        errors=(NotFound, HoldExpired, HoldAlreadyBooked),
    )
    def renew(self, hold_id: UUID) -> Any:
        """Say that the page is still there."""
        return holds.renew(hold_id=hold_id, token=self.token("X-Hold-Token"))

    @operation(query=bodies.TokenQuery, limits=(RELEASE,), errors=(NotFound, HoldAlreadyBooked))
    def destroy(self, hold_id: UUID) -> None:
        """Give the slot back."""
        holds.release(hold_id=hold_id, token=self.token("X-Hold-Token"))

    @operation(
        query=bodies.TokenQuery,
        limits=(STREAM,),
        produces=("text/event-stream",),
        errors=(NotFound, TooManyStreams),
        etag=False,
    )
    def stream(self, hold_id: UUID) -> Any:
        """Watch the hold (server-sent events)."""
        token = self.token("X-Hold-Token")
        held = holds.find(hold_id, token)
        if held.status_at(clock.now()) != HoldStatus.LIVE:
            return self._last_event(held)
        place = watchers.enter(held.pk)
        if place is None:
            raise TooManyStreams
        held = holds.open_stream(hold_id=hold_id, token=token)
        if held.status_at(clock.now()) != HoldStatus.LIVE:
            watchers.leave(held.pk, place)
            return self._last_event(held)
        watched = watching.Watched.of(held, shapes.HoldShape(held).data, place)
        return Ticket(watched, event("snapshot", watched.snapshot or {}, watching.event_key()))

    def _last_event(self, held: Hold) -> HttpResponse:
        """Answer for a hold that has ended: its last event alone, or nothing to whoever has had it."""
        if self.request.headers.get("Last-Event-ID") == str(watching.last_key(held)):
            return HttpResponse(status=204)
        return HttpResponse(b"retry: %d\n\n" % RETRY_MILLISECONDS + watching.last_event(held), headers=HEADERS)


class Bookings(PublicScheduling):
    """Bookings: a hold becomes an appointment."""

    may: ClassVar = {"book": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the hold."""
        body = self.sent.peek()
        text = body.get("hold_id") if isinstance(body, dict) else None
        try:
            return look_up("scheduling_organization_of_hold", UUID(text)) if isinstance(text, str) else None
        except ValueError:
            return None

    @operation(
        body=bodies.BookBody,
        query=bodies.TokenQuery,
        returns=shapes.BookingConfirmation,
        status=201,
        also=(200,),
        limits=(BOOK,),
        errors=(NotFound, HoldExpired, HoldAlreadyBooked, SlotUnavailable, ConsentRequired),
        in_person_fields=("consents",),
    )
    def book(self, body: dict[str, Any]) -> Any:
        """Book the slot that is held."""
        self.require_organization()
        patient = self._patient(body.get("patient_id"))
        contact = body.get("contact")
        request = bookings.Request(
            contact=Contact(**contact) if contact else None,
            notes=body.get("notes"),
            timezone=body.get("timezone"),
            locale=body.get("locale"),
            consents=tuple(Agreement(each["type"], each.get("policy_version")) for each in body.get("consents", ())),
            patient_id=patient.pk if patient else None,
        )
        booked = bookings.book(
            hold_id=body["hold_id"], token=self.token("X-Hold-Token"), request=request, by=self.actor, patient=patient
        )
        appointment = booked.appointment
        appointment.manage_token = management.manage_token(appointment.uid)  # type: ignore[attr-defined]
        return Answered(appointment, status=200) if booked.is_repeat else appointment

    def _patient(self, patient_id: int | None) -> Patient | None:
        """Return whom a signed-in patient books for: themself, or the one they name and care for.

        None for whoever is no patient here and cares for none: they book as a visitor does.
        """
        if self.actor.effective_role != Role.PATIENT:
            if patient_id is not None:
                raise Invalid({"patient_id": ["only a signed-in patient or caregiver names a patient"]})
            return None
        zone = self.organization.timezone if self.organization else "UTC"
        today = local_date(clock.now(), zone)
        own = Patient.objects.own(self.actor, today=today, permission="manage")
        if patient_id is not None:
            patient = own.filter(pk=patient_id).first()
            message = "not found"
        else:
            patient = own.filter(person__user=self.actor.own_user_id).first()
            message = "required: say for whom you book"
            if patient is None and not Patient.objects.own(self.actor, today=today).exists():
                return None
        if patient is None:
            raise Invalid({"patient_id": [message]})
        name_the_patient(self, patient)
        return patient


class ManagedAppointments(PublicScheduling):
    """Managed appointments: one's own appointment, by the link in the confirmation."""

    lookup = "uid"
    may: ClassVar = {"show": PUBLIC, "ics": PUBLIC, "cancel": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the appointment's organization."""
        return look_up("scheduling_organization_of_appointment", self.kwargs["uid"])

    def _find(self) -> Appointment:
        return management.find(uid=self.kwargs["uid"], token=self.token("X-Manage-Token"))

    @operation(query=bodies.TokenQuery, returns=shapes.BookingView, limits=(MANAGE,), errors=(NotFound,))
    def show(self) -> Any:
        """Get the appointment."""
        return self._find()

    @operation(
        query=bodies.TokenQuery, limits=(MANAGE,), produces=("text/calendar", "application/json"), errors=(NotFound,)
    )
    def ics(self) -> Any:
        """Get the appointment as a calendar file."""
        return calendar_file(self._find())

    @operation(
        body=bodies.PublicCancelBody,
        query=bodies.TokenQuery,
        returns=shapes.BookingView,
        limits=(MANAGE,),
        errors=(NotFound, InvalidTransition, CutoffPassed),
    )
    def cancel(self, body: dict[str, Any]) -> Any:
        """Cancel the appointment."""
        appointments.cancel(self._find(), by=self.actor, as_patient=True, reason=body.get("reason"))
        return self._find()


def calendar_file(appointment: Appointment) -> HttpResponse:
    """Return the appointment as a file that calendar programs read."""
    return HttpResponse(
        invitation(appointment),
        content_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="appointment-{appointment.uid}.ics"',
            "Cache-Control": "no-store",
        },
    )


class OfferedTemplateFilters(ApiFilterSet):
    """Whose services; `organization_of` reads it."""

    organization = By(Words(max_length=63), lambda queryset, slugs: queryset)


class OfferedTemplates(PublicScheduling):
    """Offered templates: what the public may book at a clinic."""

    serializer_class = shapes.OfferedTemplate
    filterset_class = OfferedTemplateFilters
    sortable = ("name", "duration_minutes", "price")
    default_sort = "name"
    may: ClassVar = {"list": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the slug, or that of the header."""
        slug = self.request.GET.get("organization")
        if slug is None:
            return header_of(self.request)
        if "\0" in slug:
            return None
        return Organization.objects.filter(slug=slug, deleted_at=None).values_list("pk", flat=True).first()

    @operation(limits=(TIMESLOTS,), errors=(NotFound,))
    def list(self) -> Any:
        """List the services that can be booked."""
        slug = self.request.GET.get("organization")
        if slug == "" or (slug is None and header_of(self.request) is None):
            raise Invalid({"organization": ["required, unless X-Organization-ID is sent"]})
        self.require_organization()
        return super().list()

    def rows(self) -> QuerySet[Any]:
        """Return the templates that somebody bookable offers."""
        organization = Organization.objects.get(pk=active_organization_id())
        return booking.offered_templates(organization, now=clock.now())
