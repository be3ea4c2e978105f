"""Deliveries in the back office: what was sent, every attempt and its answer, once more if need be."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.organizations.admin.webhook_words import ERRORS, EVENTS, status_pill
from apps.organizations.admin.webhooks import told
from apps.organizations.api.webhooks import RESEND_LIMIT, TEST_EVENT
from apps.organizations.domain.webhooks import EVERYTHING
from apps.organizations.models import WebhookDelivery, WebhookSubscription
from apps.organizations.models.webhooks import WebhookAttempt
from apps.organizations.selectors.deliveries import whole
from apps.organizations.services import deliveries, sending
from restartix.kernel import clock
from restartix.kernel.admin.lists import ChoiceOfRows
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.api import throttling
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS
from restartix.kernel.tenancy import Actor


class OfSubscription(ChoiceOfRows):
    """Deliveries to one subscription."""

    title, parameter_name = _("subscription"), "subscription"

    def rows(self, request: HttpRequest) -> Any:
        """Offer the clinic's subscriptions."""
        return WebhookSubscription.objects.order_by("url")

    def called(self, row: Any) -> str:
        """Call each by what it is for, else by where it leads."""
        return str(row.description or row.url)


class OfType(admin.SimpleListFilter):
    """Deliveries of one event."""

    title, parameter_name = _("event"), "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Offer every event by name."""
        return [(name, name) for name in (*EVENTS, TEST_EVENT) if name != EVERYTHING]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one."""
        return queryset.filter(fact__name=self.value()) if self.value() else queryset


def resend(row: WebhookDelivery, *, by: Actor) -> Outside[int]:
    """Send a delivery once more, within the limit that the API keeps too. Raises RateLimited (429)."""
    throttling.judge([RESEND_LIMIT.bucket("", {"uid": row.subscription.uid})]).check()
    return deliveries.resend(row, by=by)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ServiceAdmin):
    """What was sent to whom, and what came of it; to be read, and to be sent once more."""

    may = {"view": ADMINS}
    #: Attempts have no page of their own: their names are collected for translation with this one's.
    also_shows = (WebhookAttempt,)
    list_display = ("event", "subscription_address", "state", "tries", "next_attempt_at", "created_at")
    list_filter = ("status", OfType, OfSubscription, ("created_at", admin.DateFieldListFilter))
    list_select_related = ("fact", "subscription")
    search_fields = ("fact__event_id",)
    search_help_text = _("Id of an event (evt_...)")
    ordering = ("-created_at", "-id")
    fields = readonly_fields = (
        "event",
        "event_id",
        "subscription_address",
        "state",
        "tries",
        "next_attempt_at",
        "created_at",
        "completed_at",
    )
    change_form_template = "admin/organizations/webhook_delivery.html"
    intro = _("Everything that was sent in the last thirty days, or is still to be sent, with each attempt.")
    empty_text = _("Nothing was sent yet. Send a test from a subscription's page.")
    moves = (
        Move(
            name="resend",
            label=_("Send again"),
            does=resend,
            asks=True,
            waits=True,
            tells=told,
            explains=_(
                "It is sent once, now, with the same id and content and a new signature. A receiver that has taken it "
                "before gets it twice, and should know it by its id."
            ),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Read events and subscriptions with the deliveries."""
        return super().get_queryset(request).select_related("fact", "subscription")

    def called(self, row: WebhookDelivery) -> str:
        """Call a delivery by its number and its event."""
        return f"#{row.pk} {row.fact.name}"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the attempts, what is sent, and the command that sends it from elsewhere."""
        row = whole(WebhookDelivery.objects.all()).select_related("subscription").get(pk=context["original"].pk)
        shown = {
            "attempts": [(attempt, ERRORS.get(attempt.error or "")) for attempt in row.attempts.all()],
            "payload": json.dumps(sending.document_of(row.fact), indent=2, ensure_ascii=False),
            **_as_sent(row),
        }
        return super().render_change_form(request, context | shown, *args, **kwargs)

    @admin.display(description=_("event"), ordering="fact__name")
    def event(self, row: WebhookDelivery) -> str:
        """Show the event by name."""
        return row.fact.name

    @admin.display(description=_("event id"))
    def event_id(self, row: WebhookDelivery) -> str:
        """Show the id that every attempt carries."""
        return row.fact.event_id

    @admin.display(description=_("subscription"), ordering="subscription__url")
    def subscription_address(self, row: WebhookDelivery) -> str:
        """Show where it goes, as a way to the subscription while there is one."""
        to = row.subscription
        if to.deleted_at is not None:
            return to.url
        where = reverse("admin:organizations_webhooksubscription_change", args=[to.pk])
        return format_html('<a href="{}">{}</a>', where, to.url)

    @admin.display(description=_("attempts"), ordering="attempt_count")
    def tries(self, row: WebhookDelivery) -> int:
        """Show how often the schedule has tried; what somebody sent again does not count."""
        return row.attempt_count

    @admin.display(description=_("status"), ordering="status")
    def state(self, row: WebhookDelivery) -> SafeString:
        """Show the status as colour, sign and word."""
        return status_pill(row)


def _as_sent(row: WebhookDelivery) -> dict[str, Any]:
    """Return headers and command of an attempt made now; nothing where the subscription and its secret are gone."""
    if row.subscription.deleted_at is not None:
        return {}
    now = clock.now()
    letter = sending.letter_of(row, to=row.subscription, at=now)
    headers = sending.headers_of(letter, at=now)
    return {"headers": headers, "curl": curl(letter.url, headers, letter.body.decode())}


def curl(url: str, headers: dict[str, str], body: str) -> str:
    """Return a shell command that sends what is given, one option a line."""
    options = [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    return " \\\n  ".join([f"curl --globoff {shlex.quote(url)}", *options, f"--data-raw {shlex.quote(body)}"])
