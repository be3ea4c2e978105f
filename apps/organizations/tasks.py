"""Background work of the ground floor: the relay, the sealing of audit rows, and what has served its time."""

from __future__ import annotations

import logging

from celery import shared_task
from django.contrib.sessions.models import Session

from apps.organizations.services import (
    arrivals,
    deliveries,
    dispatching,
    facts,
    idempotency,
    rechecking,
    relay,
    sealing,
)
from restartix.kernel import clock
from restartix.kernel.periodic import periodic

logger = logging.getLogger(__name__)


@periodic("relay_facts", every=5)
def relay_facts() -> int:
    """Hand committed facts to reactions: the guarantee behind the wake-up after each commit."""
    return relay.run()


@shared_task(name="organizations.relay_facts", ignore_result=True)
def relay_facts_now() -> None:
    """Hand committed facts to reactions now."""
    relay.run()


def _wake_relay() -> None:
    """Ask a worker to relay; a broker that is down costs seconds, for the periodic run comes anyway."""
    try:
        relay_facts_now.apply_async(retry=False, expires=30)
    except Exception as error:  # noqa: BLE001 (whatever the broker raises, the request has succeeded)
        logger.warning("the relay was not woken: %s", error)


facts.on_recorded(_wake_relay)


@periodic("purge_idempotency_records", every=600)
def purge_idempotency_records() -> int:
    """Delete stored answers after their 24 hours."""
    return idempotency.purge()


@periodic("audit_seal", every=10)
def audit_seal() -> int:
    """Seal committed audit rows into the chains of their organizations."""
    return sealing.seal()


@periodic("recheck_domains", every="20 3 * * *")
def recheck_domains() -> int:
    """Look whether the TXT records of verified domains still stand."""
    return rechecking.run()


@periodic("deliver_webhooks", every=5)
def deliver_webhooks() -> int:
    """Send webhooks that are due: the guarantee behind the wake-up after each commit."""
    return dispatching.run()


@shared_task(name="organizations.webhooks.deliver", ignore_result=True)
def deliver_webhooks_now() -> None:
    """Send webhooks that are due, unless somebody does already."""
    dispatching.run()


def _wake_sender() -> None:
    """Ask a worker to send; a broker that is down costs seconds, for the periodic run comes anyway."""
    try:
        deliver_webhooks_now.apply_async(retry=False, expires=30)
    except Exception as error:  # noqa: BLE001 (whatever the broker raises, the request has succeeded)
        logger.warning("the sender of webhooks was not woken: %s", error)


facts.on_deliverable(_wake_sender)


@periodic("purge_webhook_events", every="40 3 * * *")
def purge_webhook_events() -> int:
    """Delete events and deliveries of webhooks that are over after their 30 days."""
    return deliveries.purge()


@periodic("purge_identity_events", every="50 3 * * *")
def purge_identity_events() -> int:
    """Delete the identity provider's events after their 30 days, except those of deletions."""
    return arrivals.purge()


@periodic("clearsessions", every="10 4 * * *")
def clear_sessions() -> int:
    """Delete sessions of the back office that have expired."""
    gone, _ = Session.objects.filter(expire_date__lt=clock.now()).delete()
    return gone
