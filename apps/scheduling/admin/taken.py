"""Taken time: holds, claims and the trail of holds, to be read; and calendar feeds, to be revoked."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.appointments import short_moment
from apps.scheduling.api import watchers
from apps.scheduling.lifecycles import HoldStatus
from apps.scheduling.models import AppointmentTemplate, CalendarFeed, Claim, Hold, HoldEvent
from apps.scheduling.services import feeds, holds
from restartix.kernel import clock
from restartix.kernel.admin.lists import ChoiceOfRows
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.narrowing import NarrowedList
from restartix.kernel.roles import ADMINS, DESK
from restartix.kernel.tenancy import Actor


def _release(row: Hold, *, by: Actor) -> bool:
    return holds.end(row, HoldStatus.RELEASED)


class StatusNow(admin.SimpleListFilter):
    """Holds by the status that everybody is shown: a live one past its end has expired, by the database's clock."""

    title, parameter_name = _("status"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer every status."""
        choices: Any = Hold._meta.get_field("status").flatchoices
        return list(choices)

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one status."""
        chosen, lapsed = self.value(), Q(status=HoldStatus.LIVE, expires_at__lte=Now())
        if chosen not in HoldStatus.values:
            return queryset
        if chosen == HoldStatus.EXPIRED:
            return queryset.filter(Q(status=chosen) | lapsed)
        return queryset.filter(status=chosen).exclude(lapsed)


class TemplateOfHold(ChoiceOfRows):
    """Holds of one template."""

    title, parameter_name = _("appointment template"), "template"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's templates."""
        return AppointmentTemplate.objects.alive().order_by("name")


class OfSpecialist(ChoiceOfRows):
    """Claims of one specialist."""

    title, parameter_name = _("specialist"), "specialist"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's specialists."""
        return Specialist.objects.alive().order_by("name")


class OwnerKind(admin.SimpleListFilter):
    """Claims of holds, or of appointments."""

    title, parameter_name = _("owner"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the two kinds."""
        return [("hold", _("Hold")), ("appointment", _("Appointment"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one kind."""
        if self.value() not in ("hold", "appointment"):
            return queryset
        return queryset.filter(Q(**{f"{self.value()}__isnull": False}))


class HoldList(NarrowedList):
    """Holds, each with how many streams watch it now."""

    def get_results(self, request: HttpRequest) -> None:
        """Ask once for all holds of the page how many streams watch them, over all processes."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        streams = watchers.counted(row.pk for row in rows)
        for row in rows:
            row.streams_now = streams.get(row.pk)
        self.result_list = rows  # the page needs no query any more


@admin.register(Hold)
class HoldAdmin(ServiceAdmin):
    """Times that visitors keep while they fill in the form; staff may let one go."""

    may = {"view": DESK}
    list_display = ("template", "specialist", "start", "shown_status", "expires_at", "streams")
    list_filter = (StatusNow, TemplateOfHold)
    list_select_related = ("template", "specialist")
    ordering = ("-created_at", "-id")
    fields = (
        "template",
        "specialist",
        "started_at",
        "ended_at",
        "shown_status",
        "created_at",
        "expires_at",
        "max_expires_at",
        "streams",
    )
    intro = _("Times that visitors of the booking page keep while they fill in the form. They end by themselves.")
    empty_text = _("Nobody is booking right now.")
    moves = (
        Move(
            name="release",
            label=_("Release"),
            does=_release,
            may=DESK,
            applies=lambda row: row.status_at(clock.now()) == HoldStatus.LIVE,
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing here is edited."""
        return self.fields

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the list that knows who watches."""
        return HoldList

    @admin.display(description=_("start"), ordering="started_at")
    def start(self, row: Hold) -> str:
        """Show the start on the clinic's clock."""
        return short_moment(row.started_at)

    @admin.display(description=_("streams"))
    def streams(self, row: Any) -> str:
        """Show how many pages watch the hold now; a dash while that cannot be found out."""
        known = row.streams_now if hasattr(row, "streams_now") else watchers.counted([row.pk]).get(row.pk)
        return "–" if known is None else str(known)

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, row: Hold) -> str:
        """Show the status that everybody is shown now: a live hold past its end has expired."""
        status = row.status_at(clock.now())
        names: Any = Hold._meta.get_field("status").flatchoices
        style = "confirmed" if status == HoldStatus.LIVE else "done"
        return format_html('<span class="badge s-{}">{}</span>', style, dict(names)[status])


@admin.register(Claim)
class ClaimAdmin(ServiceAdmin):
    """Every occupied stretch of a specialist's time, with its one owner."""

    may = {"view": DESK}
    list_display = ("specialist", "period", "owner")
    list_filter = (OfSpecialist, OwnerKind, ("starts_at", admin.DateFieldListFilter))
    list_select_related = ("specialist", "hold", "appointment")
    ordering = ("-starts_at", "-id")
    fields = ("specialist", "period", "owner")
    intro = _("The guard against double booking: no two of these may overlap for one specialist.")
    empty_text = _("No time is taken.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing here is edited."""
        return self.fields

    @admin.display(description=_("period"), ordering="starts_at")
    def period(self, row: Claim) -> str:
        """Show from when to when, the gap after the visit included, on the clinic's clock."""
        ends = localtime(row.ends_at)
        same_day = ends.date() == localtime(row.starts_at).date()
        return f"{short_moment(row.starts_at)}–{f'{ends:%H:%M}' if same_day else short_moment(row.ends_at)}"

    @admin.display(description=_("owner"))
    def owner(self, row: Claim) -> str:
        """Show whose time it is, with the way there."""
        kind, owned = ("appointment", row.appointment) if row.appointment else ("hold", row.hold)
        said = row.appointment.title if row.appointment else f"{_('Hold')} {row.hold}"
        return format_html('<a href="{}">{}</a>', reverse(f"admin:scheduling_{kind}_change", args=[owned.pk]), said)  # type: ignore[union-attr]


@admin.register(HoldEvent)
class HoldEventAdmin(ServiceAdmin):
    """The trail of holds, kept 90 days."""

    may = {"view": DESK}
    list_display = ("hold_id", "type", "at")
    list_filter = ("type", ("at", admin.DateFieldListFilter))
    ordering = ("-at", "-id")
    fields = readonly_fields = ("hold_id", "type", "at")
    intro = _("What became of every hold, for ninety days.")


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ServiceAdmin):
    """Secret addresses under which specialists' calendar programs read their appointments."""

    entity = "calendar_feed"
    may = {"view": ADMINS, "change": ADMINS}
    list_display = ("specialist", "created_at", "last_used_at")
    list_select_related = ("specialist",)
    ordering = ("specialist__name", "id")
    fields = readonly_fields = ("specialist", "created_at", "last_used_at")
    intro = _("Specialists' own calendar programs read their appointments from these secret addresses.")
    empty_text = _("No specialist has made a calendar address.")
    moves = (
        Move(
            name="revoke",
            label=_("Revoke"),
            does=lambda row, *, by: feeds.revoke(row.specialist, by=by),
            asks=True,
            is_grave=True,
            explains=_("The address stops working at once; the specialist can make a new one."),
        ),
    )
