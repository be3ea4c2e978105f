"""People in the back office: who works where."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.organizations.errors import LastAdmin
from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership
from apps.organizations.services import invitations, memberships
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.errors import Conflict
from restartix.kernel.roles import ADMINS, DESK
from restartix.kernel.tenancy import Actor


class InvitationForm(ServiceForm):
    """Whom to invite, as what."""

    email = forms.EmailField(label=_("E-mail"), max_length=254)
    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        help_text=_("For somebody without a login; the name in the own account counts later."),
    )

    class Meta:
        model = Membership
        fields = ("email", "name", "role")


class InvitedFilter(admin.SimpleListFilter):
    """Members by whether they have ever signed in."""

    title, parameter_name = _("signed in"), "arrived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer both."""
        return [("yes", _("Has signed in")), ("no", _("Invited, not yet"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(user__last_activity__isnull=self.value() == "no")


class ClinicFilter(admin.SimpleListFilter):
    """Members by clinic, for a superadmin who looks at all of them."""

    title, parameter_name = _("organization"), "organization"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every clinic where none is chosen."""
        entry = entry_of(request)
        return [] if entry.workplace else [(str(place.id), place.name) for place in entry.workplaces]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep the members of one."""
        known = {key for key, _name in self.lookup_choices}
        return queryset.filter(organization_id=self.value()) if self.value() in known else queryset


def _change(membership: Membership, *, by: Actor, **values: Any) -> Membership:
    """Change role or status; of the last admin say what to do first. Raises what the service does."""
    try:
        return memberships.change(membership, by=by, **values)
    except LastAdmin as error:
        told = _("%(name)s is the only active admin here: make somebody else an admin first, then try again.")
        raise Conflict(told % {"name": membership.user.name}) from error


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    """Who belongs to the clinic, as what."""

    entity = "membership"
    creates = staticmethod(invitations.invite)
    amends = staticmethod(_change)
    may = {"view": DESK, "add": ADMINS, "change": ADMINS}
    list_display = ("user", "email", "role", "shown_status", "last_activity", "created_at")
    list_filter = ("role", "status", ClinicFilter, InvitedFilter)
    list_select_related = ("user", "created_by")
    search_fields = ("user__name", "user__email")
    ordering = ("user__name", "id")
    intro = _(
        "Everybody who works at the clinic or is its patient. Whoever is added by e-mail is written to and needs no "
        "login yet. A disabled membership counts as none at once."
    )
    moves = (
        Move(
            name="disable",
            label=_("Disable"),
            does=lambda row, *, by: _change(row, by=by, status=MembershipStatus.DISABLED),
            asks=True,
            is_grave=True,
            explains=_("The person loses access to this clinic from the next request on. What they did stays."),
            applies=lambda row: row.status == MembershipStatus.ACTIVE,
        ),
        Move(
            name="enable",
            label=_("Enable"),
            does=lambda row, *, by: _change(row, by=by, status=MembershipStatus.ACTIVE),
            applies=lambda row: row.status == MembershipStatus.DISABLED,
        ),
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Ask for an e-mail when somebody is invited."""
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Invite by e-mail and role; later only the role changes."""
        return ("email", "name", "role") if obj is None else ("user", "role", "status", "created_by", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the status to actions."""
        return () if obj is None else ("user", "status", "created_by", "created_at")

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, row: Any) -> str:
        """Show the address that the person signs in with."""
        return str(row.user.email)

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, row: Any) -> str:
        """Show whether the membership counts, and whether the person has come yet."""
        if row.status != MembershipStatus.ACTIVE:
            return format_html('<span class="badge s-cancelled">{}</span>', row.get_status_display())
        if row.user.last_activity is None and row.user.last_login is None:
            return format_html('<span class="badge s-booked">{}</span>', _("Invited"))
        return format_html('<span class="badge s-confirmed">{}</span>', row.get_status_display())

    @admin.display(description=_("last activity"), ordering="user__last_activity")
    def last_activity(self, row: Any) -> Any:
        """Show when the person was last here, with the application or the back office."""
        moments = [each for each in (row.user.last_activity, row.user.last_login) if each]
        return max(moments, default=None)
