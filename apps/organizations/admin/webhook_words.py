"""What the webhooks console calls things: events in words, statuses and errors as colour, sign and word."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from apps.organizations.domain.webhooks import EVERYTHING
from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.models import AttemptError, WebhookDelivery

#: Every event that can be subscribed to, with what it means.
EVENTS: dict[str, Any] = {
    EVERYTHING: _("everything, also what later versions add"),
    "appointment.created": _("somebody booked, or staff made an appointment"),
    "appointment.updated": _("time, specialist, status or details changed"),
    "appointment.cancelled": _("an appointment will not take place"),
    "appointment.noshow": _("the patient did not come"),
    "patient.onboarded": _("somebody became a patient"),
    "patient.updated": _("a patient's data changed"),
    "form.submitted": _("a form was handed in"),
    "form.signed": _("a form was signed"),
    "document.generated": _("a document was made"),
    "document.signed": _("a document was signed"),
    "segment.membership_changed": _("a patient came into a segment or left it"),
    "treatment_plan.assigned": _("a patient was given a treatment plan"),
    "treatment_session.completed": _("a patient did a session of a plan"),
    "treatment_session.skipped": _("a patient left a session out"),
    "product_order.updated": _("an order came further, or was called off"),
}

#: Colour and sign of each status; the colours are those of appointments.
_STATUSES = {
    DeliveryStatus.PENDING: ("s-upcoming", "i-clock"),
    DeliveryStatus.RETRYING: ("s-booked", "i-again"),
    DeliveryStatus.DELIVERED: ("s-confirmed", "i-check"),
    DeliveryStatus.EXHAUSTED: ("s-cancelled", "i-alert"),
    DeliveryStatus.DISCARDED: ("s-done", "i-stop"),
}

#: What to make of an attempt that failed.
ERRORS: dict[str, Any] = {
    AttemptError.TIMEOUT: _("no complete answer within 15 seconds"),
    AttemptError.CONNECTION: _("no connection to the server, or it broke off"),
    AttemptError.DNS: _("the name leads to no address"),
    AttemptError.TLS: _("no valid certificate for this name"),
    AttemptError.REDIRECT: _("it answered with a redirect, which is not followed"),
    AttemptError.HTTP_STATUS: _("it answered, but not with a 2xx status"),
    AttemptError.BLOCKED_ADDRESS: _("the name leads to a private or reserved address, which is never called"),
}


def pill(colour: str, sign: str, word: Any) -> SafeString:
    """Return a state as colour, sign and word."""
    return format_html(
        '<span class="badge {}"><svg class="icon" aria-hidden="true"><use href="#{}"/></svg>{}</span>',
        colour,
        sign,
        word,
    )


def status_pill(delivery: WebhookDelivery) -> SafeString:
    """Return a delivery's status as colour, sign and word."""
    names: Any = delivery._meta.get_field("status").flatchoices
    return pill(*_STATUSES[DeliveryStatus(delivery.status)], dict(names)[delivery.status])
