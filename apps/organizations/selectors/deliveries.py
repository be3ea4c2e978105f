"""Deliveries as they are shown: with their event and their attempts."""

from __future__ import annotations

from django.db.models import Prefetch, QuerySet

from apps.organizations.models import WebhookAttempt, WebhookDelivery


def whole(deliveries: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
    """Read the event and the attempts with the deliveries, attempts in the order in which they were made."""
    in_order = Prefetch("attempts", queryset=WebhookAttempt.objects.order_by("number"))
    return deliveries.select_related("fact").prefetch_related(in_order)
