"""Webhook subscriptions in the back office: who is sent what, the secret that is shown once, tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.organizations.admin import shown_once, snippets
from apps.organizations.admin.webhook_words import EVENTS, pill
from apps.organizations.api.webhooks import TEST_LIMIT
from apps.organizations.domain.webhooks import EVERYTHING, LONGEST_URL
from apps.organizations.models import WebhookDelivery, WebhookSubscription
from apps.organizations.services import deliveries, subscriptions
from restartix.kernel import clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.api import throttling
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS
from restartix.kernel.tenancy import Actor


def event_choices() -> list[tuple[str, SafeString]]:
    """Return every event by its name, with what it means."""
    return [(name, format_html("<span><code>{}</code> {}</span>", name, text)) for name, text in EVENTS.items()]


class SubscriptionForm(ServiceForm):
    """An address and the events that it is sent."""

    url = forms.CharField(
        label=_("Address"),
        max_length=LONGEST_URL,
        widget=forms.URLInput({"placeholder": "https://hooks.example.org/restartix", "autocomplete": "off"}),
        help_text=_("An address of your own server. It begins with https:// and is reached over the internet."),
    )
    events = forms.MultipleChoiceField(label=_("Events"), choices=event_choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = WebhookSubscription
        fields = ("url", "description", "events")
        help_texts = {"description": _("For your colleagues: what listens there.")}

    def clean_events(self) -> list[str]:
        """Take everything for everything, whatever else is ticked."""
        chosen: list[str] = self.cleaned_data["events"]
        return [EVERYTHING] if EVERYTHING in chosen else chosen


def sets(**values: bool) -> Any:
    """Return the service that gives a subscription these values."""
    return lambda row, *, by: subscriptions.change(row, by=by, **values)


def send_test(row: WebhookSubscription, *, by: Actor) -> Outside[int]:
    """Send a test event, within the limit that the API keeps too. Raises RateLimited (429)."""
    throttling.judge([TEST_LIMIT.bucket("", {"uid": row.uid})]).check()
    return deliveries.send_test(row, by=by)


def told(delivery: WebhookDelivery) -> tuple[bool, str]:
    """Return whether the newest attempt of a delivery was taken, and what to say of it."""
    attempts = list(delivery.attempts.all())
    if not attempts:
        return False, gettext("nothing was sent")
    last = attempts[-1]
    answer = last.response_code or dict(last._meta.get_field("error").flatchoices).get(last.error, "")
    text = (
        gettext("answered %(answer)s after %(milliseconds)s ms")
        if last.response_code
        else gettext("%(answer)s after %(milliseconds)s ms")
    )
    return last.error is None, text % {"answer": answer, "milliseconds": last.duration_ms}


@admin.register(WebhookSubscription)
class WebhookSubscriptionAdmin(ServiceAdmin):
    """Addresses that are sent events of the clinic; for admins alone."""

    form = SubscriptionForm
    entity = "webhook_subscription"
    creates = staticmethod(subscriptions.create)
    amends = staticmethod(subscriptions.change)
    removes = staticmethod(subscriptions.delete)
    may = dict.fromkeys(("view", "add", "change", "delete"), ADMINS)
    list_display = ("url", "listens", "state", "consecutive_failures", "last_delivery_at")
    list_filter = ("is_active", "disabled_reason")
    search_fields = ("url", "description")
    ordering = ("-created_at", "-id")
    change_form_template = "admin/organizations/webhook_subscription.html"
    intro = _("Addresses of other programs that are told at once what happens in the clinic: ids and codes, no names.")
    empty_text = _("Nobody is told anything. Add the address of a program that should be.")
    companions = (
        (_("Deliveries"), "admin:webhook_deliveries", ADMINS),
        (_("Rotate the secret"), "admin:webhook_rotate", ADMINS),
    )
    moves = (
        Move(name="test", label=_("Send test"), does=send_test, waits=True, tells=told),
        Move(name="activate", label=_("Activate"), does=sets(is_active=True), applies=lambda row: not row.is_active),
        Move(
            name="deactivate",
            label=_("Deactivate"),
            does=sets(is_active=False),
            asks=True,
            is_grave=True,
            explains=_("Nothing is sent any more, and what still waits is discarded. It can be activated again."),
            applies=lambda row: row.is_active,
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show how it is going, once there is something to show."""
        sheet = (None, {"fields": ("url", "description", "events")})
        if obj is None:
            return (sheet,)
        state = ("state", "consecutive_failures", "failing_since", "last_delivery_at", "secret_state", "uid")
        return (sheet, (_("How it is going"), {"fields": state}))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave what deliveries note, and the secret, alone."""
        if obj is None:
            return ()
        return ("state", "consecutive_failures", "failing_since", "last_delivery_at", "secret_state", "uid")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Add how a receiver checks what it gets; one button saves, because the next page is the secret's."""
        only_save = dict.fromkeys(("show_save_and_continue", "show_save_and_add_another"), False)
        added = {"snippets": snippets.all_of_them(), **only_save}
        return super().render_change_form(request, context | added, *args, **kwargs)

    def called(self, row: WebhookSubscription) -> str:
        """Call it by what it is for, else by where it leads."""
        return row.description or row.url

    # -- the secret ----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Add the pages of the secret, and the way to the deliveries."""
        view = self.admin_site.admin_view
        own = [
            path("<int:key>/secret/", view(self.secret_view), name="webhook_secret"),
            path("<int:key>/rotate/", view(self.rotate_view), name="webhook_rotate"),
            path("<int:key>/deliveries/", view(self.deliveries_view), name="webhook_deliveries"),
        ]
        return [*own, *super().get_urls()]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the page that shows the new secret, once."""
        return self._to_secret(request, obj)

    def _to_secret(self, request: HttpRequest, row: WebhookSubscription) -> HttpResponse:
        shown_once.keep(request, row.pk, str(row.secret or ""))
        return HttpResponseRedirect(reverse("admin:webhook_secret", args=[row.pk]))

    def secret_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Show a secret that was just made; a second look finds nothing."""
        row = self._row(request, key)
        secret = shown_once.take(request, row.pk)
        if secret is None:
            messages.warning(request, gettext("A secret is shown once only. If it is lost, rotate it."))
            return HttpResponseRedirect(self.url_of("change", row.pk))
        context = {"title": gettext("The secret"), "secret": secret, "snippets": snippets.all_of_them()}
        return self._page(request, "admin/organizations/webhook_secret.html", row, context)

    def rotate_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask, then give the subscription another secret."""
        row = self._row(request, key)
        if request.method == "POST":
            return self._to_secret(request, subscriptions.rotate_secret(row, by=entry_of(request).actor))
        expires = row.previous_secret_expires_at
        context = {"title": gettext("Rotate the secret"), "overlaps": bool(expires and expires > clock.now())}
        return self._page(request, "admin/organizations/webhook_rotate.html", row, context)

    def deliveries_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Go to the list of deliveries, narrowed to this subscription."""
        if not self.allows(request, "view"):
            raise PermissionDenied
        where = reverse("admin:organizations_webhookdelivery_changelist")
        return HttpResponseRedirect(f"{where}?subscription={key}")

    def _row(self, request: HttpRequest, key: int) -> WebhookSubscription:
        """Return the row of a page that changes it. Raises PermissionDenied, Http404."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = self.get_queryset(request).filter(pk=key).first()
        if row is None:
            raise Http404
        return row

    def _page(self, request: HttpRequest, template: str, row: Any, context: dict[str, Any]) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts, "original": row}
        return TemplateResponse(request, template, {**shared, "heading": self.called(row), **context})

    # -- columns -------------------------------------------------------------------------------------------------------

    @admin.display(description=_("events"))
    def listens(self, row: WebhookSubscription) -> str:
        """Show the events by name, the first few of many."""
        if row.events == [EVERYTHING]:
            return gettext("everything")
        return listed(row.events)

    @admin.display(description=_("active"), ordering="is_active")
    def state(self, row: WebhookSubscription) -> SafeString:
        """Show whether it is sent anything, and why not."""
        if row.is_active and row.failing_since:
            return pill("s-booked", "i-alert", _("active, failing"))
        if row.is_active:
            return pill("s-confirmed", "i-check", _("active"))
        reasons: Any = row._meta.get_field("disabled_reason").flatchoices
        return pill("s-done", "i-stop", format_html("{}: {}", _("off"), dict(reasons)[row.disabled_reason]))

    @admin.display(description=_("secret"))
    def secret_state(self, row: WebhookSubscription) -> str:
        """Tell until when the old secret signs too; never what either is."""
        expires = row.previous_secret_expires_at
        if expires is None or expires <= clock.now():
            return gettext("Shown once, when it was made.")
        until = formats.date_format(timezone.localtime(expires), "DATETIME_FORMAT")
        return gettext("Rotated: the old one signs too, until %(moment)s.") % {"moment": until}


def listed(names: Iterable[str], most: int = 3) -> SafeString:
    """Return names one below the other, with how many more there are."""
    names = list(names)
    lines = format_html_join("", "<div><code>{}</code></div>", ((name,) for name in names[:most]))
    more = len(names) - most
    return (
        lines if more <= 0 else format_html("{}<div>{}</div>", lines, gettext("and %(count)s more") % {"count": more})
    )
