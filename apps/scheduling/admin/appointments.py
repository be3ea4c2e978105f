"""Appointments for the desk: the list, one appointment with its history, and what may be done with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist
from apps.scheduling.lifecycles import MOVABLE, AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentStatusChange, AppointmentTemplate
from apps.scheduling.models.appointments import ReasonCode
from apps.scheduling.services import appointments
from restartix.kernel import clock, dates
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.admin.lists import ChoiceOfRows
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import MomentInput
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor
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


class CancelForm(forms.Form):
    """Why an appointment is cancelled."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}), help_text=_("Kept with the appointment.")
    )
    reason_code = forms.ChoiceField(label=_("Kind of reason"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the reasons that staff may give."""
        super().__init__(*args, **kwargs)
        choices: Any = Appointment._meta.get_field("cancel_reason_code").flatchoices
        offered = [choice for choice in choices if choice[0] != ReasonCode.DELETED]
        self.fields["reason_code"].choices = [("", _("As usual for who cancels")), *offered]  # type: ignore[attr-defined]


class RescheduleForm(forms.Form):
    """Where an appointment moves to."""

    started_at = forms.DateTimeField(label=_("New start"), widget=MomentInput)
    specialist = forms.ModelChoiceField(
        queryset=Specialist.objects.none(), label=_("Specialist"), required=False, empty_label=_("The same")
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's specialists."""
        super().__init__(*args, **kwargs)
        self.fields["specialist"].queryset = Specialist.objects.alive().order_by("name")  # type: ignore[attr-defined]


def _to(status: AppointmentStatus) -> Any:
    """Return the service that moves an appointment to `status`."""

    def move(row: Appointment, *, by: Actor) -> Appointment:
        return appointments.change_status(row, to=status, by=by)

    return move


def _from(*statuses: AppointmentStatus) -> Any:
    """Return the test of whether an appointment stands in one of `statuses`."""
    return lambda row: row.status in statuses


def _missable(row: Appointment) -> bool:
    return row.status == S.INPROGRESS or (row.status in (S.UPCOMING, S.CONFIRMED) and row.started_at <= clock.now())


class StatusChangeInline(ServiceInline):
    """The history of an appointment's status."""

    model = AppointmentStatusChange
    verbose_name_plural = _("History")
    fields = readonly_fields = ("at", "from_status", "to_status", "by", "reason")
    may = {"view": STAFF}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read in order, with who did it."""
        return super().get_queryset(request).select_related("by").order_by("at", "id")


class SpecialistFilter(ChoiceOfRows):
    """Appointments of one specialist."""

    title, parameter_name = _("specialist"), "specialist"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's specialists."""
        return Specialist.objects.alive().order_by("name")


class WhenFilter(admin.SimpleListFilter):
    """Appointments by their day on the clinic's calendar."""

    title, parameter_name = _("date"), "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer what the desk asks for."""
        return [
            ("today", _("Today")),
            ("tomorrow", _("Tomorrow")),
            ("week", _("Next seven days")),
            ("past", _("Before today")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep those that start on the chosen days."""
        today = localtime(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
        days = {"today": (0, 1), "tomorrow": (1, 2), "week": (0, 7)}
        chosen = self.value() or ""
        if chosen == "past":
            return queryset.filter(started_at__lt=today)
        if chosen not in days:
            return queryset
        first, last = (today + timedelta(days=number) for number in days[chosen])
        return queryset.filter(started_at__gte=first, started_at__lt=last)


class TemplateFilter(ChoiceOfRows):
    """Appointments of one template."""

    title, parameter_name = _("appointment template"), "appointment_template"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's templates."""
        return AppointmentTemplate.objects.alive().order_by("name")


@admin.register(Appointment)
class AppointmentAdmin(ServiceAdmin):
    """Appointments: times, specialist and status move by actions."""

    entity = "appointment"
    may = {"view": STAFF}
    list_display = ("start", "title", "specialist", "who", "state", "mode")
    list_filter = (WhenFilter, "status", SpecialistFilter, TemplateFilter, "source", "mode")
    list_select_related = ("specialist", "patient__person")
    search_fields = ("title", "patient__person__name", "contact_name", "contact_email")
    search_help_text = _("Name, e-mail or title")
    ordering = ("-started_at", "-id")
    empty_text = _("Appointments show up here as soon as somebody books, or the desk makes one.")
    inlines = (StatusChangeInline,)
    moves = (
        Move(name="confirm", label=_("Confirm"), does=_to(S.CONFIRMED), may=STAFF, applies=_from(S.UPCOMING)),
        Move(name="start", label=_("Start"), does=_to(S.INPROGRESS), may=STAFF, applies=_from(S.UPCOMING, S.CONFIRMED)),
        Move(name="finish", label=_("Finish"), does=_to(S.DONE), may=STAFF, applies=_from(S.INPROGRESS)),
        Move(
            name="reschedule",
            label=_("Move"),
            does=appointments.reschedule,
            may=STAFF,
            form=RescheduleForm,
            applies=_from(*MOVABLE),
        ),
        Move(
            name="no-show",
            label=_("Did not come"),
            does=_to(S.NOSHOW),
            may=STAFF,
            asks=True,
            explains=_("The patient did not come. The time becomes free."),
            applies=_missable,
        ),
        Move(
            name="cancel",
            label=_("Cancel"),
            does=appointments.cancel,
            may=STAFF,
            form=CancelForm,
            is_grave=True,
            explains=_("The time becomes free, and the patient is told by e-mail."),
            applies=_from(*MOVABLE),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show specialists their own, the desk and admins all."""
        rows: Any = super().get_queryset(request)
        return rows.visible_to(entry_of(request).actor, today=clock.now().date())

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show what there is: a contact for whom nobody was onboarded yet, a cancellation only where there was one."""
        when = ("start", "ending", "specialist", "state", "who", "phone", "email")
        shown: list[tuple[Any, dict[str, Any]]] = [
            (None, {"fields": when}),
            (_("Visit"), {"fields": ("title", "specialty", "mode", "location", "appointment_template", "price_text")}),
            (_("Notes"), {"fields": ("notes", "patient_notes")}),
        ]
        if obj is not None and obj.status == S.CANCELLED:
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
        """Nothing is edited in place: what may change has an action of its own."""
        return [name for _title, group in self.get_fieldsets(request, obj) for name in group["fields"]]

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

    @admin.display(description=_("price"))
    def price_text(self, row: Appointment) -> str:
        """Show the price with its currency."""
        return "–" if row.price is None else f"{row.price} {row.currency}"
