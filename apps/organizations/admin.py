"""Clinics, people with a login, and who works where: the ground floor's pages of the back office."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.organizations.domain import slugs
from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import Domain, Membership, Organization, User
from apps.organizations.services import memberships, organizations, users
from restartix.kernel import phones
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import ServiceForm, said
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.roles import ADMINS, DESK, PLATFORM
from restartix.kernel.tenancy import Actor


def timezone_choices() -> list[tuple[str, str]]:
    """Return every IANA time zone by name, European ones first."""
    names = sorted(available_timezones(), key=lambda name: (not name.startswith("Europe/"), name))
    return [(name, name.replace("_", " ")) for name in names]


class MembershipInline(ServiceInline):
    """A clinic's members; they are connected and changed on their own page."""

    model = Membership
    fields = readonly_fields = ("user", "role", "status")
    may = {"view": DESK}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read the people with their memberships."""
        return super().get_queryset(request).select_related("user").order_by("role", "user__name")


class OrganizationForm(ServiceForm):
    """A clinic's card."""

    timezone = forms.ChoiceField(choices=timezone_choices, initial="Europe/Bucharest")
    locale = forms.ChoiceField(choices=[("ro", "Română"), ("en", "English")], initial="ro")
    currency = forms.RegexField(
        r"^[A-Z]{3}$", max_length=3, initial="RON", help_text=_("ISO 4217, such as RON or EUR.")
    )
    primary_color = forms.RegexField(r"^#[0-9A-Fa-f]{6}$", required=False, help_text=_("Such as #0A7B83; empty: ours."))
    website = forms.URLField(required=False, assume_scheme="https", max_length=2048)

    def clean_slug(self) -> str:
        """Take what the API takes: a slug of the right form that the platform does not keep for itself."""
        slug = str(self.cleaned_data["slug"])
        problem = slugs.problem(slug) if re.fullmatch(slugs.PATTERN, slug) else slugs.EXPECTED
        if problem:
            raise forms.ValidationError(said(problem))
        return slug

    def clean_phone(self) -> str | None:
        """Write the phone as it is stored: a plus sign and digits."""
        try:
            return phones.normalised(self.cleaned_data["phone"]) if self.cleaned_data["phone"] else None
        except ValueError as error:
            raise forms.ValidationError(said(str(error))) from error

    def clean_primary_color(self) -> str:
        """Write the colour as it is stored: in capitals."""
        return str(self.cleaned_data["primary_color"]).upper()


@admin.register(Organization)
class OrganizationAdmin(ServiceAdmin):
    """Clinics: staff see their own; superadmins open, suspend and reactivate them."""

    form = OrganizationForm
    entity = "organization"
    creates = staticmethod(organizations.create)
    amends = staticmethod(organizations.change)
    may = {"view": DESK, "add": PLATFORM, "change": ADMINS}
    list_display = ("name", "slug", "status", "member_count", "domain_count", "created_at")
    list_filter = ("status",)
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    fieldsets = (
        (None, {"fields": ("name", "slug", "status", "tagline", "timezone", "locale", "currency")}),
        (_("How patients reach the clinic"), {"fields": ("email", "phone", "website", "location")}),
        (_("Appearance"), {"fields": ("primary_color",)}),
    )
    inlines = (MembershipInline,)
    moves = (
        Move(
            name="suspend",
            label=_("Suspend"),
            does=organizations.suspend,
            may=PLATFORM,
            asks=True,
            is_grave=True,
            explains=_("Members are turned away and the booking page closes until the clinic is reactivated."),
            applies=lambda clinic: clinic.status == OrganizationStatus.ACTIVE,
        ),
        Move(
            name="reactivate",
            label=_("Reactivate"),
            does=organizations.reactivate,
            may=PLATFORM,
            applies=lambda clinic: clinic.status == OrganizationStatus.SUSPENDED,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show a clinic's staff their own clinic, and a superadmin who chose none all of them."""
        rows = super().get_queryset(request).filter(deleted_at=None)
        working = Membership.objects.filter(status=MembershipStatus.ACTIVE)
        rows = rows.annotate(members=_count_of(working), domain_total=_count_of(Domain.objects.all()))
        place = entry_of(request).workplace
        return rows if place is None else rows.filter(pk=place.id)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep the slug for ever; the status moves by actions."""
        return ("slug", "status") if obj else ("status",)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Show the members inside their clinic."""
        return super().get_inlines(request, obj) if entry_of(request).workplace else []

    @admin.display(description=_("members"))
    def member_count(self, row: Any) -> int:
        """Count the active members."""
        return int(row.members)

    @admin.display(description=_("domains"))
    def domain_count(self, row: Any) -> int:
        """Count the domains."""
        return int(row.domain_total)


def _count_of(rows: QuerySet) -> Coalesce:
    """Return how many of a tenant's `rows` belong to the clinic of each outer row."""
    counted = rows.filter(organization=OuterRef("pk")).order_by().values("organization").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


class WorksInClinic(admin.SimpleListFilter):
    """Users by the clinic that they are active members of."""

    title = _("organization")
    parameter_name = "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every clinic."""
        return [(str(place.id), place.name) for place in entry_of(request).workplaces]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the members of one."""
        value = self.value() or ""
        if not (value.isascii() and value.isdigit() and len(value) < 19):
            return queryset
        return queryset.filter(memberships__organization_id=int(value), memberships__status=MembershipStatus.ACTIVE)


@admin.register(User)
class UserAdmin(ServiceAdmin):
    """People with a login, for superadmins; names and e-mails are the identity provider's."""

    entity = "user"
    may = {"view": PLATFORM}
    list_display = ("email", "name", "is_superadmin", "blocked", "membership_count", "last_activity")
    list_filter = ("blocked", "is_superadmin", WorksInClinic)
    search_fields = ("email", "name")
    ordering = ("email", "id")
    fields = ("email", "name", "is_superadmin", "blocked", "confirmed", "last_activity", "created_at")
    intro = _("Everybody with a login, over all clinics. The identity provider owns names and addresses.")
    moves = (
        Move(
            name="block",
            label=_("Block"),
            does=users.block,
            may=PLATFORM,
            asks=True,
            is_grave=True,
            explains=_("A blocked person is turned away everywhere, from the next request on."),
            applies=lambda user: not user.blocked,
        ),
        Move(
            name="unblock",
            label=_("Unblock"),
            does=users.unblock,
            may=PLATFORM,
            applies=lambda user: user.blocked,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave deleted accounts out; count active memberships."""
        rows = super().get_queryset(request).filter(deleted_at=None)
        active = Q(memberships__status=MembershipStatus.ACTIVE)
        return rows.annotate(active_memberships=Count("memberships", filter=active, distinct=True))

    @admin.display(description=_("memberships"))
    def membership_count(self, row: Any) -> int:
        """Count the active memberships."""
        return int(row.active_memberships)


class ConnectForm(ServiceForm):
    """Whom to connect, as what."""

    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("Of somebody who has a login already; the clinic's list of users is nobody else's."),
    )

    class Meta:
        model = Membership
        fields = ("email", "role")


def _connect(*, by: Actor, email: str, role: str) -> Membership:
    return memberships.connect(role=role, by=by, email=email).membership


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """Who belongs to the clinic, as what."""

    entity = "membership"
    creates = staticmethod(_connect)
    amends = staticmethod(memberships.change)
    may = {"view": DESK, "add": ADMINS, "change": ADMINS}
    list_display = ("user", "email", "role", "status", "created_at")
    list_filter = ("role", "status")
    list_select_related = ("user", "created_by")
    search_fields = ("user__name", "user__email")
    ordering = ("user__name", "id")
    intro = _("Everybody who works at the clinic or is its patient. A disabled membership counts as none at once.")
    moves = (
        Move(
            name="disable",
            label=_("Disable"),
            does=lambda row, *, by: memberships.change(row, by=by, status=MembershipStatus.DISABLED),
            asks=True,
            is_grave=True,
            explains=_("The person loses access to this clinic from the next request on. What they did stays."),
            applies=lambda row: row.status == MembershipStatus.ACTIVE,
        ),
        Move(
            name="enable",
            label=_("Enable"),
            does=lambda row, *, by: memberships.change(row, by=by, status=MembershipStatus.ACTIVE),
            applies=lambda row: row.status == MembershipStatus.DISABLED,
        ),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Ask for an e-mail when somebody is connected."""
        if obj is None:
            kwargs["form"] = ConnectForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Connect by e-mail and role; later only the role changes."""
        return ("email", "role") if obj is None else ("user", "role", "status", "created_by", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the status to actions."""
        return () if obj is None else ("user", "status", "created_by", "created_at")

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, row: Any) -> str:
        """Show the address that the person signs in with."""
        return str(row.user.email)
