"""The waiting list for the desk: who wants to be told of a free time, and who was."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from apps.scheduling.admin import trays
from apps.scheduling.admin.filters import TemplateFilter
from apps.scheduling.admin.trays import Tray
from apps.scheduling.lifecycles import WaitlistStatus
from apps.scheduling.models import WaitlistEntry
from apps.scheduling.services import waiting
from restartix.kernel import dates
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.roles import DESK, STAFF
from restartix.templatetags.days import language

#: How the board's badges colour each status.
STYLES = {
    WaitlistStatus.WAITING: "upcoming",
    WaitlistStatus.NOTIFIED: "confirmed",
    WaitlistStatus.REMOVED: "cancelled",
    WaitlistStatus.EXPIRED: "done",
}


@admin.register(WaitlistEntry)
class WaitlistEntryAdmin(ServiceAdmin):
    """Who waits for a free time; visitors put themselves on the list, staff may take somebody off."""

    entity = "waitlist_entry"
    may = {"view": STAFF}
    list_display = ("appointment_template", "contact", "days", "specialist", "state", "created_at")
    list_filter = ("status", TemplateFilter)
    list_select_related = ("appointment_template", "specialist")
    search_fields = ("contact_name", "contact_email")
    search_help_text = _("Name or e-mail")
    ordering = ("-created_at", "-id")
    fields = (
        "appointment_template",
        "specialist",
        "contact_name",
        "contact_email",
        "contact_phone",
        "days",
        "timezone",
        "state",
        "created_at",
        "told",
    )
    intro = _(
        "Who wants to be told when a time becomes free. The oldest whom a time fits that is given back gets one letter "
        "with the booking link; nothing is reserved."
    )
    empty_text = _("Nobody waits for a time.")
    moves = (
        Move(
            name="remove",
            label=_("Take off the list"),
            does=waiting.remove,
            may=DESK,
            applies=lambda row: row.status == WaitlistStatus.WAITING,
            asks=True,
            explains=_("They are no longer told of free times, and are not written to about it."),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Show specialists who waits for them or for nobody in particular, the desk and admins all."""
        rows: Any = super().get_queryset(request)
        return rows.visible_to(entry_of(request).actor)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing here is edited."""
        return self.fields

    def called(self, row: WaitlistEntry) -> str:
        """Call an entry by who waits for what."""
        return f"{row.contact_name} · {row.appointment_template}"

    @admin.display(description=_("contact"), ordering="contact_name")
    def contact(self, row: WaitlistEntry) -> str:
        """Show who waits and how they are reached."""
        reach = " · ".join(each for each in (row.contact_email, str(row.contact_phone or "")) if each)
        return format_html('{}<br><span class="soft">{}</span>', row.contact_name, reach)

    @admin.display(description=_("days"), ordering="date_from")
    def days(self, row: WaitlistEntry) -> str:
        """Show the first and the last day."""
        first, last = row.date_from, row.date_to
        until = f"{_day(last)} {last:%Y}"
        if first == last:
            return until
        return f"{_day(first)} – {until}" if first.year == last.year else f"{_day(first)} {first:%Y} – {until}"

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: WaitlistEntry) -> str:
        """Show the status as a colour and a word."""
        names: Any = WaitlistEntry._meta.get_field("status").flatchoices
        style = STYLES[WaitlistStatus(row.status)]
        return format_html('<span class="badge s-{}">{}</span>', style, dict(names)[row.status])

    @admin.display(description=_("told of"))
    def told(self, row: WaitlistEntry) -> str:
        """Show which time the letter named, and when it was written."""
        if row.notified_start is None or row.notified_at is None:
            return "–"
        said = _("{start}, {specialist}; written {at}")
        return said.format(
            start=_moment(row.notified_start), specialist=row.notified_specialist, at=_moment(row.notified_at)
        )


def _day(day: date) -> str:
    return f"{day.day} {dates.short_month(day, language())}"


def _moment(moment: datetime) -> str:
    local = localtime(moment)
    return f"{dates.short_day(local, language())} {local:%Y, %H:%M}"


def who_waits(request: HttpRequest, entry: Entry) -> list[Tray]:
    """Return the tray of those who wait."""
    count = WaitlistEntry.objects.visible_to(entry.actor).filter(status=WaitlistStatus.WAITING).count()
    url = f"{reverse('admin:scheduling_waitlistentry_changelist')}?status__exact={WaitlistStatus.WAITING}"
    return [Tray("waiting", str(_("Waiting list")), count, url, "i-clock")]


trays.add("waiting", who_waits, rank=30)
