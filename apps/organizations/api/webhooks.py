"""Outgoing webhooks over HTTP: subscriptions and their deliveries. Source: contract/organizations.md 2.6, 3."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.organizations.api.webhook_shapes import (
    WebhookDeliveryShape,
    WebhookSubscriptionBody,
    WebhookSubscriptionShape,
    WebhookSubscriptionWithSecretShape,
)
from apps.organizations.domain.webhooks import EVENT_TYPES, EVERYTHING
from apps.organizations.errors import LimitReached, SubscriptionInactive
from apps.organizations.lifecycles import DeliveryStatus
from apps.organizations.models import WebhookDelivery, WebhookSubscription
from apps.organizations.selectors.deliveries import whole
from apps.organizations.services import deliveries, subscriptions
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Instants, OneOf, Words
from restartix.kernel.api.lists import Listing
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import Forbidden, NotFound
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS

TEST_EVENT = "webhook.test"


def _by_subscription(kwargs: Any) -> str:
    """Count for the subscription that the path names."""
    return f"webhook:{kwargs['uid']}"


TEST_LIMIT = Limit("webhook_test", "10/m", by=_by_subscription)
RESEND_LIMIT = Limit("webhook_resend", "10/m", by=_by_subscription)


def _listening(rows: QuerySet[WebhookSubscription], names: list[str]) -> QuerySet[WebhookSubscription]:
    """Keep the subscriptions that are told of one of the events, those to everything included."""
    return rows.filter(events__overlap=[*names, EVERYTHING])


class SubscriptionFilters(ApiFilterSet):
    """Filters of the list of subscriptions."""

    is_active = Flag()
    event = By(OneOf(EVENT_TYPES), _listening)


class DeliveryFilters(ApiFilterSet):
    """Filters of the list of deliveries."""

    status = OneOf(DeliveryStatus)
    event_type = OneOf([*EVENT_TYPES, TEST_EVENT], "fact__name")
    event_id = Words("fact__event_id", max_length=30)
    created_at = Instants()


class ForAdmins(Resource):
    """Rows of which only admins learn anything: others are refused whatever the path names."""

    def check_admin(self) -> None:
        """Raise Forbidden (403) for every other role, before any row is looked for."""
        if self.actor.effective_role not in ADMINS:
            raise Forbidden


class WebhookSubscriptions(ForAdmins):
    """Webhook subscriptions: which addresses are sent which events of a clinic."""

    serializer_class = WebhookSubscriptionShape
    filterset_class = SubscriptionFilters
    sortable = ("created_at", "url")
    default_sort = "-created_at"
    lookup = "uid"
    location = "/v1/webhook-subscriptions/{uid}"
    tag = "Webhooks"
    may = dict.fromkeys(("list", "create", "retrieve", "update", "destroy", "rotate_secret", "test"), ADMINS)

    def rows(self) -> QuerySet[WebhookSubscription]:
        """Keep the clinic's own. Raises Forbidden (403), whatever the uid, for everybody but admins."""
        self.check_admin()
        return WebhookSubscription.objects.all()

    @operation(
        body=WebhookSubscriptionBody, returns=WebhookSubscriptionWithSecretShape, status=201, errors=(LimitReached,)
    )
    def create(self, body: dict[str, Any]) -> WebhookSubscription:
        """Subscribe an address to events.

        The answer is the only one that holds the secret. The address is not called.
        """
        return subscriptions.create(by=self.actor, **body)

    @operation(body=WebhookSubscriptionBody)
    def update(self, row: WebhookSubscription, body: dict[str, Any]) -> WebhookSubscription:
        """Change a subscription: the fields that were sent.

        Deactivating discards what still waits; activating again clears the count of failures.
        """
        return subscriptions.change(row, by=self.actor, **body)

    def destroy(self, row: WebhookSubscription) -> None:
        """Remove a subscription.

        An attempt that is on the wire already may still arrive.
        """
        subscriptions.delete(row, by=self.actor)

    @operation(returns=WebhookSubscriptionWithSecretShape)
    def rotate_secret(self, row: WebhookSubscription) -> WebhookSubscription:
        """Give a subscription a new secret, which only this answer holds.

        The old secret signs beside the new one for 24 hours. A further rotation drops the older of the two at once.
        """
        return subscriptions.rotate_secret(row, by=self.actor)

    @operation(returns=WebhookDeliveryShape, limits=(TEST_LIMIT,))
    def test(self, row: WebhookSubscription) -> Outside[int]:
        """Send a test event now, once, and wait for the outcome.

        A receiver that fails is a successful test: the delivery's status tells.
        """
        return deliveries.send_test(row, by=self.actor)


class WebhookDeliveries(ForAdmins):
    """Webhook deliveries: what was sent to one subscription, and what came of each attempt."""

    serializer_class = WebhookDeliveryShape
    filterset_class = DeliveryFilters
    sortable = ("created_at", "next_attempt_at")
    default_sort = "-created_at"
    lookup = "delivery_id"
    lookup_column = "pk"
    tag = "Webhooks"
    may = {"list": ADMINS, "resend": ADMINS}

    def rows(self) -> QuerySet[WebhookDelivery]:
        """Keep those of the subscription in the path.

        Raises Forbidden (403) for everybody but admins, then NotFound (404) if there is no such subscription.
        """
        self.check_admin()
        subscription = WebhookSubscription.objects.filter(uid=self.kwargs["uid"]).first()
        if subscription is None:
            raise NotFound
        return WebhookDelivery.objects.filter(subscription=subscription)

    def permit(self) -> None:
        """Look for the subscription before the query is read: 404 comes before 422."""
        self.rows()

    def prepare(self, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        """Read event and attempts with the deliveries."""
        return whole(queryset)

    @operation(errors=(NotFound,))
    def list(self) -> Listing:
        """List what was sent to one subscription."""
        return super().list()

    @operation(errors=(SubscriptionInactive,), limits=(RESEND_LIMIT,))
    def resend(self, row: WebhookDelivery) -> Outside[int]:
        """Send a delivery once more, now, and wait for the outcome.

        Same id, same body, new timestamp and signature, whatever the delivery's state; its schedule stays as it is
        unless the receiver takes it.
        """
        return deliveries.resend(row, by=self.actor)
