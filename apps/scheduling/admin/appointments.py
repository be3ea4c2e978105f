"""Appointments for the desk: the list, one appointment with its history, and what may be done with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.scheduling.admin.appointment_moves import MOVES
from apps.scheduling.admin.filters import SpecialistFilter, TemplateFilter, WhenFilter
from apps.scheduling.admin.making import WHEN, MakesVisits
from apps.scheduling.admin.visit_forms import CONTACT
from apps.scheduling.domain.rooms import Part, opens_at
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentStatusChange, Room
from apps.scheduling.models.appointments import RoomStatus
from restartix.kernel import clock, dates
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.roles import STAFF
from restartix.templatetags.days import language

S = AppointmentStatus


def status_badge(row: Any, status: str | None = None) -> str:
    """Return a status as colour, sign and word."""
    choices: Any = Appointment._meta.get_field("status").flatchoices
    status = status or row.status
    return format_html(
        '<span class="badge s-{0}"><svg class="icon" aria-hidden="true"><use href="#s-{0}"/></svg>{1}</span>',
        status,
        dict(choices)[status],
    )


def short_moment(moment: datetime) -> str:
    """Return `mar., 24 nov. 2026, 09:00` on the clinic's clock."""
    local = localtime(moment)
    return f"{dates.short_day(local, language())} {local:%Y, %H:%M}"


class StatusChangeInline(ServiceInline):
    """The history of an appointment's status."""

    model = AppointmentStatusChange
    verbose_name_plural = _("History")
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "reason")
    may = {"view": STAFF}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read in order, with who did it."""
        return super().get_queryset(request).select_related("by").order_by("at", "id")


@admin.register(Appointment)
class AppointmentAdmin(MakesVisits):
    """Appointments: times, specialist and status move by actions."""

    entity = "appointment"
    list_display = ("start", "title", "specialist", "who", "state", "mode", "room_state")
    list_filter = (WhenFilter, "status", SpecialistFilter, TemplateFilter, "source", "mode", "room_status")
    list_select_related = ("specialist", "patient__person")
    search_fields = ("title", "patient__person__name", "contact_name", "contact_email")
    search_help_text = _("Name, e-mail or title")
    ordering = ("-started_at", "-id")
    empty_text = _("Appointments show up here as soon as somebody books, or the desk makes one.")
    inlines = (StatusChangeInline,)
    moves = MOVES

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show specialists their own, the desk and admins all."""
        rows: Any = super().get_queryset(request)
        return rows.visible_to(entry_of(request).actor, today=clock.now().date())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what there is: a contact for whom nobody was onboarded yet, a cancellation only where there was one."""
        if obj is None:
            return ((None, {"fields": WHEN}),)
        when = ("start", "ending", "specialist", "state", "who", "phone", "email")
        shown: list[tuple[Any, dict[str, Any]]] = [
            (None, {"fields": when}),
            (_("Visit"), {"fields": ("title", "specialty", "mode", "location", "appointment_template", "price_text")}),
            (_("Notes"), {"fields": ("notes", "patient_notes")}),
        ]
        if obj.room_status is not None:
            trouble = () if obj.room_status == RoomStatus.READY else ("room_trouble",)
            shown.insert(2, (_("Video room"), {"fields": ("room_state", *trouble, "opens")}))
        if obj.status == S.BOOKED:
            shown.insert(1, (_("Contact"), {"fields": CONTACT}))
        if obj.rated_at is not None:
            shown.append((_("Rating"), {"fields": ("rating_stars", "rating_comment", "rated_at")}))
        if obj.status == S.CANCELLED:
            cancelled = (
                "cancelled_at",
                "cancel_actor",
                "cancelled_by",
                "cancel_reason_code",
                "cancel_reason",
                "cancelled_late",
            )
            shown.append((_("Cancellation"), {"fields": cancelled}))
        shown.append((_("Origin"), {"fields": ("source", "created_at", "reschedule_count")}))
        return shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave in place what may change as the appointment stands; everything else has an action of its own."""
        if obj is None:
            return ()
        shown = [name for _title, group in self.get_fieldsets(request, obj) for name in group["fields"]]
        return [name for name in shown if name not in self.editable(obj)]

    def open_companions(self, request: HttpRequest, obj: Appointment) -> list[tuple[Any, str]]:
        """Lead to taking in whoever booked, while nobody is."""
        pages = super().open_companions(request, obj)
        is_waiting = obj.status == S.BOOKED and entry_of(request).workplace is not None
        return [(_("Take in"), "admin:take_in"), *pages] if is_waiting else pages

    def patient_of(self, row: Appointment) -> int | None:
        """Return the patient; a contact of somebody who is none yet is in nobody's file."""
        return row.patient_id

    def called(self, row: Appointment) -> str:
        """Call an appointment by whom it is with and when."""
        return f"{self.who(row)}, {short_moment(row.started_at)}"

    @admin.display(description=_("start"), ordering="started_at")
    def start(self, row: Appointment) -> str:
        """Show the start on the clinic's clock."""
        return short_moment(row.started_at)

    @admin.display(description=_("end"))
    def ending(self, row: Appointment) -> str:
        """Show the end on the clinic's clock."""
        return f"{localtime(row.ended_at):%H:%M}"

    @admin.display(description=_("patient or contact"))
    def who(self, row: Appointment) -> str:
        """Show the patient, or the contact of somebody who is none yet."""
        return str(row.patient) if row.patient else row.contact_name or "–"

    @admin.display(description=_("phone"))
    def phone(self, row: Appointment) -> str:
        """Show the contact's phone as a link that dials."""
        return format_html('<a href="tel:{0}">{0}</a>', row.contact_phone) if row.contact_phone else "–"

    @admin.display(description=_("e-mail"))
    def email(self, row: Appointment) -> str:
        """Show the contact's e-mail as a link that writes."""
        return format_html('<a href="mailto:{0}">{0}</a>', row.contact_email) if row.contact_email else "–"

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Appointment) -> str:
        """Show the status as colour, sign and word."""
        return status_badge(row)

    @admin.display(description=_("room"), ordering="room_status")
    def room_state(self, row: Appointment) -> str:
        """Show how far the video room is; a visit in person has none."""
        if row.room_status is None:
            return "–"
        choices: Any = Appointment._meta.get_field("room_status").flatchoices
        style = {"ready": "confirmed", "failed": "cancelled"}.get(row.room_status, "upcoming")
        return format_html(
            '<span class="badge s-{0}"><svg class="icon" aria-hidden="true"><use href="#s-{0}"/></svg>{1}</span>',
            style,
            dict(choices)[row.room_status],
        )

    @admin.display(description=_("what went wrong last"))
    def room_trouble(self, row: Appointment) -> str:
        """Show what the video provider answered, where it made no room."""
        room = Room.objects.filter(appointment=row).first()
        return (room.error if room else "") or "–"

    @admin.display(description=_("opens"))
    def opens(self, row: Appointment) -> str:
        """Show from when the specialist, and from when the patient, may come in."""
        owner, guest = (localtime(opens_at(row.started_at, part)) for part in (Part.OWNER, Part.PARTICIPANT))
        return _("for the specialist at %(owner)s, for the patient at %(guest)s") % {
            "owner": f"{owner:%H:%M}",
            "guest": f"{guest:%H:%M}",
        }

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out what is for one appointment alone."""
        alone = {move.name for move in self.moves if move.leads}
        return {name: action for name, action in super().get_actions(request).items() if name not in alone}

    @admin.display(description=_("price"))
    def price_text(self, row: Appointment) -> str:
        """Show the price with its currency."""
        return "–" if row.price is None else f"{row.price} {row.currency}"
