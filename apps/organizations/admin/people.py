"""People in the back office: who works where."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership
from apps.organizations.services import memberships
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.roles import ADMINS, DESK
from restartix.kernel.tenancy import Actor


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
