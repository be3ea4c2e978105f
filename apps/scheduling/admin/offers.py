"""Appointment templates: what a clinic offers, and who offers it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist, Specialty
from apps.scheduling.models import AppointmentTemplate, TemplateSpecialist
from apps.scheduling.services import templates
from restartix.kernel.admin.forms import RowForm, ServiceForm
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.admin.lists import ChoiceOfRows
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import ColorInput
from restartix.kernel.roles import ADMINS, STAFF
from restartix.kernel.tenancy import Actor

COLOR = r"^#[0-9A-Fa-f]{6}$"


def _minutes(least: int, most: int, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(min_value=least, max_value=most, **more)


class TemplateForm(ServiceForm):
    """A template, with the bounds of contract/scheduling.md 1.3 already in the controls."""

    field_names = {"slot_step_minutes": "explicit_step_minutes"}
    slug = forms.RegexField(r"^[a-z0-9-]{2,80}$", max_length=80, required=False)
    duration_minutes = _minutes(5, 480, initial=50)
    gap_minutes = _minutes(0, 120, initial=0)
    explicit_step_minutes = _minutes(5, 600, required=False)
    min_notice_minutes = _minutes(0, 43200, initial=120)
    horizon_days = _minutes(1, 365, initial=60)
    cancel_cutoff_hours = _minutes(0, 168, initial=24)
    price = forms.DecimalField(min_value=0, max_digits=10, decimal_places=2, required=False)
    currency = forms.RegexField(r"^[A-Z]{3}$", max_length=3, required=False)
    color = forms.RegexField(COLOR, initial="#3B82F6", widget=ColorInput)

    class Meta:
        help_texts = {
            "gap_minutes": _("Kept free after each appointment."),
            "explicit_step_minutes": _("From one start to the next. Empty: duration and gap together."),
            "min_notice_minutes": _("How long before the start it can still be booked."),
            "horizon_days": _("How many days ahead it can be booked."),
            "cancel_cutoff_hours": _("Until how many hours before the start patients may cancel or move it."),
            "slug": _("Part of its address. Empty: made from the name."),
            "is_public": _("Patients can book it on the booking page."),
            "price": _("Empty: not shown."),
        }


class OfferForm(RowForm):
    """One specialist of a template."""

    priority = _minutes(1, 100, initial=10)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's live specialists; of a row that exists only priority and activity change."""
        super().__init__(*args, **kwargs)
        self.fields["specialist"].queryset = Specialist.objects.alive().order_by("name")  # type: ignore[attr-defined]
        if self.instance.pk:
            self.fields["specialist"].disabled = True


class OfferInline(ServiceInline):
    """Who offers a template; the lowest priority number is tried first."""

    model = TemplateSpecialist
    form = OfferForm
    fields = ("specialist", "priority", "is_active")
    ordering = ("priority", "specialist_id")
    verbose_name, verbose_name_plural = _("specialist"), _("Specialists who offer it")

    def saves(self, parent: AppointmentTemplate, *, written: list[Any], removed: list[Any], by: Actor) -> None:
        """Detach and attach through the services."""
        for row in removed:
            templates.detach_specialist(parent, row.specialist_id, by=by)
        offers = [
            {
                "specialist_id": form.cleaned_data["specialist"].pk,
                "priority": form.cleaned_data["priority"],
                "is_active": form.cleaned_data["is_active"],
            }
            for form in written
        ]
        if offers:
            templates.attach_specialists(parent, offers, by=by)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the specialists with the rows."""
        return super().get_queryset(request).select_related("specialist")


class SpecialtyFilter(ChoiceOfRows):
    """Templates of one specialty."""

    title, parameter_name = _("specialty"), "specialty"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's specialties."""
        return Specialty.objects.order_by("title")


def _sets(**values: bool) -> Any:
    """Return the service that gives a template these values."""
    return lambda row, *, by: templates.update(row, by=by, **values)


@admin.register(AppointmentTemplate)
class AppointmentTemplateAdmin(ServiceAdmin):
    """What can be booked: how long, when, for how much, with whom."""

    form = TemplateForm
    entity = "appointment_template"
    creates = staticmethod(templates.create)
    amends = staticmethod(templates.update)
    removes = staticmethod(templates.remove)
    may = {"view": STAFF, "add": ADMINS, "change": ADMINS, "delete": ADMINS}
    list_display = ("named", "duration", "gap", "is_public", "is_active", "offered_by", "price_text")
    list_filter = ("is_public", "is_active", SpecialtyFilter, "mode")
    search_fields = ("name", "description")
    ordering = ("name", "id")
    inlines = (OfferInline,)
    intro = _("What patients can book: its length, its price, and who offers it.")
    empty_text = _("Add the first thing that can be booked, such as a first consultation of 50 minutes.")
    fieldsets = (
        (None, {"fields": ("name", "description", "specialty", "is_public", "is_active", "mode", "location", "color")}),
        (
            _("Time"),
            {
                "fields": (
                    "duration_minutes",
                    "gap_minutes",
                    "explicit_step_minutes",
                    "min_notice_minutes",
                    "horizon_days",
                )
            },
        ),
        (_("Price and rules"), {"fields": ("price", "currency", "cancel_cutoff_hours", "slug")}),
    )
    moves = (
        Move(name="publish", label=_("Publish"), does=_sets(is_public=True), applies=lambda row: not row.is_public),
        Move(name="unpublish", label=_("Unpublish"), does=_sets(is_public=False), applies=lambda row: row.is_public),
        Move(name="activate", label=_("Activate"), does=_sets(is_active=True), applies=lambda row: not row.is_active),
        Move(name="deactivate", label=_("Deactivate"), does=_sets(is_active=False), applies=lambda row: row.is_active),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the deleted ones out; count who offers each."""
        rows: Any = super().get_queryset(request)
        return rows.alive().annotate(offer_total=Count("offers", filter=Q(offers__is_active=True), distinct=True))

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Drop what is to keep its default."""
        return {name: value for name, value in values.items() if value != "" or name not in ("slug", "currency")}

    @admin.display(description=_("name"), ordering="name")
    def named(self, row: AppointmentTemplate) -> str:
        """Show the name; its colour is decoration."""
        return row.name

    @admin.display(description=_("duration"), ordering="duration_minutes")
    def duration(self, row: AppointmentTemplate) -> str:
        """Show the minutes."""
        return f"{row.duration_minutes} min"

    @admin.display(description=_("gap"), ordering="gap_minutes")
    def gap(self, row: AppointmentTemplate) -> str:
        """Show the minutes that stay free afterwards."""
        return f"{row.gap_minutes} min" if row.gap_minutes else "–"

    @admin.display(description=_("specialists"))
    def offered_by(self, row: Any) -> str:
        """Show how many offer it; none is told, for nobody can book it then."""
        return (
            str(row.offer_total)
            if row.offer_total
            else format_html('<span class="badge s-booked">{}</span>', _("nobody"))
        )

    @admin.display(description=_("price"), ordering="price")
    def price_text(self, row: AppointmentTemplate) -> str:
        """Show the price with its currency."""
        return "–" if row.price is None else f"{row.price} {row.currency}"
