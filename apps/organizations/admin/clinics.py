"""Clinics in the back office: their cards and their settings."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.organizations.domain import slugs
from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import ConsentType, Domain, Membership, Organization
from apps.organizations.services import organizations
from restartix.kernel import phones
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import ServiceForm, said
from restartix.kernel.admin.inlines import ServiceInline
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.roles import ADMINS, DESK, PLATFORM


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


CONSENTS = {
    ConsentType.PRIVACY_POLICY: _("privacy policy"),
    ConsentType.TELEREHAB_CONSENT: _("telerehabilitation"),
    ConsentType.PROFILE_SHARING: _("sharing the profile"),
    ConsentType.VIDEO_RECORDING: _("video recording"),
    ConsentType.HIPAA_NOTICE: _("HIPAA notice"),
    ConsentType.MARKETING: _("marketing"),
    ConsentType.ANALYTICS: _("analytics"),
    ConsentType.MOVEMENT_DATA: _("movement data"),
}
PLAIN_SETTINGS = ("required_consents", "appointment_reminder_hours", "suspend_on_expired_license")
#: Prefix of the form's fields → consent type of the policy.
POLICIES = {"privacy": ConsentType.PRIVACY_POLICY.value, "telerehab": ConsentType.TELEREHAB_CONSENT.value}
SETTINGS_FIELDS = (*PLAIN_SETTINGS, *(f"{prefix}_{part}" for prefix in POLICIES for part in ("version", "url")))


class OrganizationForm(ServiceForm):
    """A clinic's card."""

    timezone = forms.ChoiceField(choices=timezone_choices, initial="Europe/Bucharest")
    locale = forms.ChoiceField(choices=[("ro", "Română"), ("en", "English")], initial="ro")
    currency = forms.RegexField(
        r"^[A-Z]{3}$", max_length=3, initial="RON", help_text=_("ISO 4217, such as RON or EUR.")
    )
    primary_color = forms.RegexField(r"^#[0-9A-Fa-f]{6}$", required=False, help_text=_("Such as #0A7B83; empty: ours."))
    website = forms.URLField(required=False, assume_scheme="https", max_length=2048)
    required_consents = forms.MultipleChoiceField(
        label=_("Consents that a patient has to give"),
        choices=lambda: [(kind.value, CONSENTS[kind]) for kind in ConsentType],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    privacy_version = forms.CharField(label=_("Privacy policy: version"), max_length=32, required=False)
    privacy_url = forms.URLField(
        label=_("Privacy policy: address"), required=False, assume_scheme="https", max_length=2048
    )
    telerehab_version = forms.CharField(label=_("Telerehabilitation consent: version"), max_length=32, required=False)
    telerehab_url = forms.URLField(
        label=_("Telerehabilitation consent: address"), required=False, assume_scheme="https", max_length=2048
    )
    appointment_reminder_hours = forms.IntegerField(
        label=_("Reminder (hours before)"), min_value=0, max_value=168, help_text=_("0: no reminder.")
    )
    suspend_on_expired_license = forms.BooleanField(
        label=_("An expired licence closes a specialist's bookings"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the settings of a clinic that exists, with their defaults."""
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            for name in SETTINGS_FIELDS:
                self.fields.pop(name, None)
            return
        self.initial.update({name: self.instance.setting(name) for name in PLAIN_SETTINGS})
        policies = self.instance.setting("policies")
        for prefix, kind in POLICIES.items():
            policy = policies.get(kind, {})
            self.initial.update({f"{prefix}_{part}": policy.get(part, "") for part in ("version", "url")})

    def clean(self) -> dict[str, Any]:
        """Take a policy's version and address together, or neither."""
        cleaned = super().clean()
        for prefix in POLICIES:
            version, url = cleaned.get(f"{prefix}_version"), cleaned.get(f"{prefix}_url")
            if bool(version) != bool(url):
                self.add_error(f"{prefix}_url", _("Give version and address together."))
            elif url and not url.startswith("https://"):
                self.add_error(f"{prefix}_url", _("An address that begins with https:// is expected."))
        return cleaned

    def settings_in(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return those of `values` that are settings, as the service takes them."""
        found = {name: values[name] for name in PLAIN_SETTINGS if name in values}
        for prefix, kind in POLICIES.items():
            if f"{prefix}_version" in values or f"{prefix}_url" in values:
                policy = {part: self.cleaned_data[f"{prefix}_{part}"] for part in ("version", "url")}
                found.setdefault("policies", {})[kind] = policy if policy["url"] else None
        return found

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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the rules for those who may change them."""
        shown = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return shown
        return (*shown, (_("Rules of the clinic"), {"fields": SETTINGS_FIELDS}))

    def values_of(self, form: OrganizationForm, values: dict[str, Any]) -> dict[str, Any]:
        """Put the settings together into one argument."""
        said_of = {name: value for name, value in values.items() if name not in SETTINGS_FIELDS}
        settings = form.settings_in(values)
        return {**said_of, "settings": settings} if settings else said_of

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
