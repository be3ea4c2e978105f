"""Webhook subscriptions: made, changed, given another secret, removed. Source: contract/organizations.md 1.6, 2.6."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext

from apps.organizations.domain import webhooks
from apps.organizations.errors import LimitReached
from apps.organizations.models import DisabledReason, WebhookSubscription
from apps.organizations.services import deliveries, letters, memberships, sending
from restartix.kernel import clock, signatures
from restartix.kernel.errors import Invalid
from restartix.kernel.tenancy import Actor, active_organization_id

MOST = 20
#: After a rotation the old secret signs beside the new one for so long.
OVERLAP = timedelta(hours=24)


@transaction.atomic
def create(
    *, by: Actor, url: str, events: Sequence[str], description: str | None = None, is_active: bool = True
) -> WebhookSubscription:
    """Make a subscription with a new `secret`, holding the organization's row; the URL is not called.

    Raises Invalid (422) for a bad URL or event, and LimitReached (409) if the organization has 20 already.
    """
    _check(url=url, events=events)
    memberships.lock(active_organization_id())
    if WebhookSubscription.objects.count() >= MOST:
        raise LimitReached
    subscription = WebhookSubscription(
        url=url, events=list(events), description=description, secret=signatures.new_secret()
    )
    if not is_active:
        _disable(subscription, DisabledReason.MANUAL)
    subscription.save(force_insert=True)
    return subscription


@transaction.atomic
def change(subscription: WebhookSubscription, *, by: Actor, **fields: Any) -> WebhookSubscription:
    """Change `url`, `description`, `events`, `is_active`, as far as they are given; locks the row.

    Off: what waits is discarded. On, even if it is already: the failure streak is cleared. Raises Invalid (422) for a
    bad URL or event.
    """
    _check(**{name: fields[name] for name in ("url", "events") if name in fields})
    subscription = lock(subscription)
    active = fields.pop("is_active", None)
    for name, value in fields.items():
        setattr(subscription, name, value)
    if active:
        _enable(subscription)
    elif active is False and subscription.is_active:
        _disable(subscription, DisabledReason.MANUAL)
        deliveries.discard([subscription.pk])
    subscription.save()
    return subscription


@transaction.atomic
def delete(subscription: WebhookSubscription, *, by: Actor) -> None:
    """Remove the subscription and its secrets; what waits is discarded. Locks the row."""
    _remove(lock(subscription))


@transaction.atomic
def delete_all(*, by: Actor) -> None:
    """Remove every subscription of the active organization, which is about to be deleted."""
    for subscription in WebhookSubscription.objects.select_for_update(no_key=True).order_by("pk"):
        _remove(subscription)


@transaction.atomic
def rotate_secret(subscription: WebhookSubscription, *, by: Actor) -> WebhookSubscription:
    """Give the subscription a new `secret`; the one until now also signs for 24 hours, an older one no longer."""
    subscription = lock(subscription)
    subscription.previous_secret, subscription.secret = subscription.secret, signatures.new_secret()
    subscription.previous_secret_expires_at = clock.now() + OVERLAP
    subscription.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at"])
    return subscription


def lock(subscription: WebhookSubscription) -> WebhookSubscription:
    """Hold the subscription until the transaction ends; deliveries may still be linked to it meanwhile."""
    return WebhookSubscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)


def _check(**fields: Any) -> None:
    """Raise Invalid (422) with everything that is wrong with `url` and `events`, as far as they are given."""
    problems: dict[str, Sequence[str]] = {}
    if "url" in fields:
        problems |= webhooks.url_problems(fields["url"], reach=sending.reach())
    if "events" in fields:
        problems |= webhooks.event_problems(fields["events"])
    if problems:
        raise Invalid(problems)


def _remove(subscription: WebhookSubscription) -> None:
    if subscription.is_active:
        _disable(subscription, DisabledReason.MANUAL)
    subscription.secret = subscription.previous_secret = None
    subscription.previous_secret_expires_at = None
    subscription.deleted_at = clock.now()
    subscription.save()
    deliveries.discard([subscription.pk])


def _disable(subscription: WebhookSubscription, reason: DisabledReason) -> None:
    subscription.is_active = False
    subscription.disabled_at, subscription.disabled_reason = clock.now(), reason


def _enable(subscription: WebhookSubscription) -> None:
    subscription.is_active = True
    subscription.disabled_at = subscription.disabled_reason = None
    subscription.consecutive_failures, subscription.failing_since = 0, None


def words_on_giving_up(subscription: WebhookSubscription) -> letters.Words:
    """Return what the admins are told of a receiver that has failed for five days."""
    page = reverse("admin:organizations_webhooksubscription_change", args=[subscription.pk])
    told = gettext("{url} has not taken a single event for five days, so nothing is sent there any more.")
    after = gettext("Once the receiver works again, activate the subscription; what was missed can be sent again.")
    return letters.Words(
        subject=gettext("A webhook has been switched off"),
        paragraphs=(told.format(url=subscription.url), after),
        action=(gettext("Open the subscription"), settings.PUBLIC_URL + page),
    )
