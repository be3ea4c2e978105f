"""Users in the back office, over all clinics, and the inbox of the identity provider that tells of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import IdentityEvent, Membership, User
from apps.organizations.services import users
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.api.requests import trace_of
from restartix.kernel.roles import PLATFORM
from restartix.kernel.tenancy import across_organizations


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
        members = Membership.everywhere.filter(
            user=OuterRef("pk"), organization_id=int(value), status=MembershipStatus.ACTIVE
        )
        return queryset.filter(Exists(members))


@admin.register(User)
class UserAdmin(ServiceAdmin):
    """People with a login, for superadmins; names and e-mails are the identity provider's.

    Whichever clinic the superadmin has chosen, these pages show people and their memberships over all of them.
    """

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

    @admin.display(description=_("memberships"), ordering="active_memberships")
    def membership_count(self, row: Any) -> int:
        """Count the active memberships."""
        return int(row.active_memberships)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list over all clinics."""
        return _over_all_clinics(request, lambda: super(UserAdmin, self).changelist_view(request, extra_context))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        """Show one person over all clinics."""
        shown = super().changeform_view
        return _over_all_clinics(request, lambda: shown(request, object_id, form_url, extra_context))

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """Show the person's history: it is the platform's, no clinic's."""
        shown = super().history_view
        return _over_all_clinics(request, lambda: shown(request, object_id, extra_context))


def _over_all_clinics(request: HttpRequest, show: Callable[[], Any]) -> HttpResponseBase:
    """Answer, and write the answer out, while every clinic is seen; 403 as ever for who may not."""
    if not entry_of(request).may(PLATFORM):
        answer: HttpResponseBase = show()
        return answer
    trace = replace(trace_of(request), source="admin")
    with across_organizations(reason="the platform's users", actor=entry_of(request).actor, trace=trace):
        answer = show()
        return answer.render() if isinstance(answer, TemplateResponse) else answer


@admin.register(IdentityEvent)
class IdentityEventAdmin(ServiceAdmin):
    """What the identity provider told, and what became of it; nothing can be changed here."""

    may = {"view": PLATFORM}
    list_display = ("svix_id", "type", "outcome", "received_at")
    list_filter = ("outcome", "type")
    search_fields = ("svix_id", "subject")
    ordering = ("-received_at", "-id")
    fields = ("svix_id", "type", "subject", "outcome", "received_at")
    intro = _(
        "Every event of the identity provider, once. Ignored: older than what is known, or of no meaning here. "
        "Conflict: the e-mail is another user's, and nothing was changed."
    )
    empty_text = _("Nothing has arrived yet. See the operators' page on Clerk for what has to be set.")
