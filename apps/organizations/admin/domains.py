"""Domains and integration keys in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.organizations.api.domains import VERIFY_LIMIT
from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import ApiKey, Domain
from apps.organizations.models.domains import DomainError
from apps.organizations.services import domains, keys
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.api import throttling
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS, DESK
from restartix.kernel.tenancy import Actor

PROBLEMS = {
    DomainError.RECORD_MISSING: _("The name exists, but has no TXT record."),
    DomainError.RECORD_MISMATCH: _("There are TXT records, but none of them has this value."),
    DomainError.NXDOMAIN: _("The name of the record does not exist yet."),
}
#: How each status looks: style and symbol.
LOOKS = {
    DomainStatus.PENDING: ("booked", "i-clock"),
    DomainStatus.VERIFIED: ("confirmed", "i-check"),
    DomainStatus.FAILED: ("cancelled", "i-alert"),
}


def verify(row: Domain, *, by: Actor) -> Outside[Any]:
    """Look for the record now, within the limit that the API keeps too. Raises RateLimited (429)."""
    throttling.judge([VERIFY_LIMIT.bucket("", {"id": row.organization_id})]).check()
    return domains.verify(row, by=by)


def told(proven: Domain) -> tuple[bool, str]:
    """Return what to say of a check that was passed; the others are told as refusals."""
    return True, gettext("The record was found.")


class DomainForm(ServiceForm):
    """A new domain."""

    class Meta:
        model = Domain
        fields = ("domain", "kind")
        help_texts = {
            "domain": _("Such as portal.clinica.example, without https:// and without a path."),
            "kind": _("Which front end patients or staff find there."),
        }


@admin.register(Domain)
class DomainAdmin(ServiceAdmin):
    """Host names of the clinic's own, and how far their proof has come."""

    form = DomainForm
    entity = "domain"
    creates = staticmethod(domains.claim)
    removes = staticmethod(domains.give_up)
    may = {"view": DESK, "add": ADMINS, "delete": ADMINS}
    change_form_template = "admin/organizations/domain.html"
    list_display = ("domain", "kind", "state", "last_checked_at", "last_error")
    list_filter = ("status", "kind")
    fields = ("domain", "kind")
    shown_fields = ("domain", "kind", "state", "primary", "verified_at", "last_checked_at", "created_at")
    search_fields = ("domain",)
    ordering = ("domain", "id")
    intro = _("Addresses of your own that lead to the clinic. A record in the DNS proves that a domain is yours.")
    empty_text = _("No domain yet. Until then the clinic is found under the platform's own addresses.")
    moves = (Move(name="verify", label=_("Verify now"), does=verify, waits=True, tells=told),)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Tell which ones are primary."""
        return Domain.objects.with_primary()

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Add what the last check saw."""
        row = context.get("original")
        if row is not None:
            context["problem"] = PROBLEMS.get(row.last_error)
            context["strikes"] = domains.TOLERATED_CHECKS - row.failed_checks
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: Any) -> str:
        """Show the status with its symbol."""
        style, symbol = LOOKS[row.status]
        icon = '<span class="badge s-{}"><svg class="icon" aria-hidden="true"><use href="#{}"/></svg>{}</span>'
        return format_html(icon, style, symbol, row.get_status_display())

    @admin.display(description=_("primary"), boolean=True)
    def primary(self, row: Any) -> bool:
        """Tell whether it is the one that the clinic's letters and links name."""
        return bool(row.is_primary)


class ApiKeyForm(ServiceForm):
    """A key: put in, never shown."""

    field_names = {"api_key": "new_key"}
    new_key = forms.RegexField(
        r"^[!-~]{8,4096}$",
        label=_("Key"),
        error_messages={"invalid": _("8 to 4096 visible characters without spaces are expected.")},
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    class Meta:
        model = ApiKey
        fields = ("service", "title")
        help_texts = {"title": _("For yourself, such as production.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for a key where there is none; leave the present one alone where nothing is put in."""
        super().__init__(*args, **kwargs)
        key = self.fields.get("new_key")
        if key is not None and self.instance.pk is not None:
            key.required = False
            key.label, key.help_text = _("New key"), _("Left empty, the present key stays. It is shown nowhere.")
        elif key is not None:
            key.help_text = _("Kept encrypted and shown nowhere again. A service that has a key gets this one instead.")


def _put(*, by: Actor, **values: Any) -> ApiKey:
    return keys.put(by=by, **values).key


@admin.register(ApiKey)
class ApiKeyAdmin(ServiceAdmin):
    """The clinic's keys for outside services."""

    form = ApiKeyForm
    entity = "api_key"
    creates = staticmethod(_put)
    amends = staticmethod(keys.change)
    removes = staticmethod(keys.destroy)
    may = {"view": ADMINS, "add": ADMINS, "change": ADMINS, "delete": ADMINS}
    list_display = ("service", "title", "ending", "updated_at")
    list_filter = ("service",)
    ordering = ("service", "id")
    intro = _("What the platform needs to act at outside services in the clinic's name. Nobody can read a key here.")
    empty_text = _("No key yet.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for the service once; show the end of the present key."""
        if obj is None:
            return ("service", "title", "new_key")
        shown = ("service", "ending", "title", "created_by", "created_at", "updated_at")
        return (*shown[:3], "new_key", *shown[3:]) if self.has_change_permission(request, obj) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Change title and key."""
        return () if obj is None else ("service", "ending", "created_by", "created_at", "updated_at")

    def values_of(self, form: Any, values: dict[str, Any]) -> dict[str, Any]:
        """Call the key what the service calls it; nothing put in is nothing to change."""
        given = {name: value for name, value in values.items() if name != "new_key"}
        return {**given, "api_key": values["new_key"]} if values.get("new_key") else given

    @admin.display(description=_("ends in"), ordering="last4", empty_value="–")
    def ending(self, row: Any) -> str | None:
        """Show the last characters of a key that is long enough."""
        return f"…{row.last4}" if row.last4 else None
