"""Specialists and specialties in the back office; their hours have a page of their own (apps/scheduling/admin)."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, User
from apps.profiles.models import Specialist, Specialty
from apps.profiles.models.specialists import LicenseStatus
from apps.profiles.services import specialists, specialties
from restartix.kernel import clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.lists import ChoiceOfRows, DeletedFilter
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import DateInput
from restartix.kernel.roles import ADMINS, CLINICIANS, STAFF

LICENSE = ("number", "issuing_body", "issued_on", "expires_on")


def members_who_treat() -> Any:
    """Return the active members of this clinic who may be linked to a specialist, and nobody else's users."""
    return User.objects.filter(
        Q(blocked=False, deleted_at=None),
        pk__in=Membership.objects.filter(status=MembershipStatus.ACTIVE, role__in=specialists.ROLES).values("user"),
    ).order_by("name")


class SpecialistForm(ServiceForm):
    """A specialist's card; the licence is one object to the service."""

    field_names = {"user_id": "user", "specialty_ids": "specialty_choice"}
    slug = forms.RegexField(r"^[a-z0-9-]{2,80}$", max_length=80, required=False)
    specialty_choice = forms.ModelMultipleChoiceField(
        queryset=Specialty.objects.none(), required=False, label=_("Specialties"), widget=forms.CheckboxSelectMultiple
    )
    license_issued_on = forms.DateField(required=False, widget=DateInput)
    license_expires_on = forms.DateField(required=False, widget=DateInput)

    class Meta:
        help_texts = {
            "user": _("Who signs in as this specialist: a member with the role specialist or admin."),
            "slug": _("Part of the address. Empty: made from the name."),
            "title": _("Stands before the name, such as Dr."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's members and specialties."""
        super().__init__(*args, **kwargs)
        if "user" in self.fields:
            self.fields["user"].queryset = members_who_treat()  # type: ignore[attr-defined]
        self.fields["specialty_choice"].queryset = Specialty.objects.order_by("title")  # type: ignore[attr-defined]
        if self.instance.pk:
            self.initial["specialty_choice"] = list(self.instance.specialties.values_list("pk", flat=True))


class OfSpecialty(ChoiceOfRows):
    """Specialists who practise one specialty."""

    title, parameter_name = _("specialty"), "specialties"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's specialties."""
        return Specialty.objects.order_by("title")

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep those who practise the chosen one."""
        chosen = self.value() or ""
        numeric = chosen.isascii() and chosen.isdigit() and len(chosen) < 19
        return queryset.filter(specialties=int(chosen)) if numeric else queryset


class LicenseFilter(admin.SimpleListFilter):
    """Specialists by how their licence stands today."""

    title, parameter_name = _("licence"), "license"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer what needs attention first."""
        return [
            (LicenseStatus.EXPIRED, _("Expired")),
            (LicenseStatus.EXPIRING, _("Expires soon")),
            (LicenseStatus.VALID, _("Valid")),
            (LicenseStatus.NONE, _("None")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep those whose licence stands so by their organization's date."""
        if self.value() not in LicenseStatus.values:
            return queryset
        return queryset.with_license_status([self.value()], now=clock.now())


class BookableFilter(admin.SimpleListFilter):
    """Specialists by whether the public may book them."""

    title, parameter_name = _("bookable"), "bookable"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        return [("yes", _("Bookable")), ("no", _("Not bookable"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.standing_bookable(bookable=self.value() == "yes", now=clock.now())


def _today() -> date:
    """Return the clinic's date: the site runs every page on the clinic's clock."""
    return timezone.localdate(clock.now())


@admin.register(Specialist)
class SpecialistAdmin(ServiceAdmin):
    """Who treats at the clinic."""

    form = SpecialistForm
    entity = "specialist"
    creates = staticmethod(specialists.create)
    amends = staticmethod(specialists.change)
    removes = staticmethod(specialists.delete)
    companions = (
        (_("Working hours"), "admin:hours_of", STAFF),
        (_("Calendar address"), "admin:calendar_of", CLINICIANS),
    )
    list_display = ("name", "title", "practises", "is_bookable", "licence", "license_expires_on")
    list_filter = (OfSpecialty, LicenseFilter, BookableFilter, "scheduling_active", DeletedFilter)
    search_fields = ("name", "title")
    ordering = ("name", "id")
    intro = _("The people who treat. Each has hours of their own and is offered by appointment templates.")
    empty_text = _("Add the first person who treats; then give them hours and something that can be booked.")
    fieldsets = (
        (None, {"fields": ("name", "title", "user", "slug", "specialty_choice", "description")}),
        (_("Licence"), {"fields": tuple(f"license_{name}" for name in LICENSE)}),
        (_("Other systems"), {"fields": ("external_reference",)}),
    )
    moves = (
        Move(
            name="restore",
            label=_("Restore"),
            does=specialists.restore,
            applies=lambda row: row.deleted_at is not None,
        ),
        Move(
            name="activate",
            label=_("Open for booking"),
            does=lambda row, *, by: specialists.change(row, by=by, scheduling_active=True),
            applies=lambda row: row.deleted_at is None and not row.scheduling_active,
        ),
        Move(
            name="deactivate",
            label=_("Close for booking"),
            does=lambda row, *, by: specialists.change(row, by=by, scheduling_active=False),
            applies=lambda row: row.deleted_at is None and row.scheduling_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the specialties and the clinic's settings with the rows."""
        return super().get_queryset(request).select_related("organization").prefetch_related("specialties")

    def open_companions(self, request: HttpRequest, obj: Specialist) -> list[tuple[Any, str]]:
        """Leave out the calendar address of colleagues: it is the specialist's own, and for admins to revoke."""
        is_own = obj.user_id is not None and obj.user_id == entry_of(request).actor.user_id
        sees_all = is_own or entry_of(request).may(ADMINS)
        pages = super().open_companions(request, obj)
        return [(label, name) for label, name in pages if sees_all or name != "admin:calendar_of"]

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Name users and specialties by their ids, and put the licence together again."""
        said = dict(values)
        if "user" in said:
            user = said.pop("user")
            said["user_id"] = user.pk if user else None
        if "specialty_choice" in said:
            said["specialty_ids"] = [row.pk for row in said.pop("specialty_choice")]
        license_names = [f"license_{name}" for name in LICENSE]
        if any(name in said for name in license_names):
            said = {name: value for name, value in said.items() if name not in license_names}
            said["license"] = {name: form.cleaned_data.get(f"license_{name}") or None for name in LICENSE}
        if not said.get("slug", True):
            said.pop("slug")
        return said

    @admin.display(description=_("specialties"))
    def practises(self, row: Specialist) -> str:
        """List the specialties."""
        return ", ".join(sorted(each.title for each in row.specialties.all())) or "–"

    @admin.display(description=_("bookable"), boolean=True, ordering="scheduling_active")
    def is_bookable(self, row: Specialist) -> bool:
        """Tell whether the public may book: open, with a zone, and no licence that stands against it."""
        suspends = bool(row.organization.setting("suspend_on_expired_license"))
        return row.is_bookable(_today(), suspend_on_expired_license=suspends)

    @admin.display(description=_("licence"))
    def licence(self, row: Specialist) -> str:
        """Show how the licence stands."""
        status = row.license_status(_today())
        words = {
            LicenseStatus.NONE: _("none"),
            LicenseStatus.VALID: _("valid"),
            LicenseStatus.EXPIRING: _("expires soon"),
            LicenseStatus.EXPIRED: _("expired"),
        }
        styles = {
            LicenseStatus.EXPIRING: "booked",
            LicenseStatus.EXPIRED: "cancelled",
            LicenseStatus.VALID: "confirmed",
        }
        return format_html('<span class="badge s-{}">{}</span>', styles.get(status, "done"), words[status])


class SpecialtyForm(ServiceForm):
    """A specialty with its part of the address."""

    slug = forms.RegexField(r"^[a-z0-9-]{2,80}$", max_length=80, help_text=_("Small letters, digits and hyphens."))


@admin.register(Specialty)
class SpecialtyAdmin(ServiceAdmin):
    """The fields of work that a clinic offers."""

    form = SpecialtyForm
    entity = "specialty"
    creates = staticmethod(specialties.create)
    amends = staticmethod(specialties.change)
    removes = staticmethod(specialties.delete)
    may = {"view": STAFF, "add": ADMINS, "change": ADMINS, "delete": ADMINS}
    list_display = ("title", "slug", "specialists_count")
    search_fields = ("title",)
    ordering = ("title", "id")
    fields = ("title", "slug")
    empty_text = _("Add the first field of work, such as physiotherapy.")

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count the specialists who are not deleted."""
        alive = Q(specialists__deleted_at=None)
        return super().get_queryset(request).annotate(practising=Count("specialists", filter=alive, distinct=True))

    @admin.display(description=_("specialists"))
    def specialists_count(self, row: Any) -> int:
        """Count who practises it."""
        return int(row.practising)
