"""Stored answers of keyed requests: the API writes and reads them, here they go when their time is over."""

from __future__ import annotations

from django.db import transaction

from apps.organizations.models import IdempotencyRecord
from restartix.kernel import clock


@transaction.atomic
def purge() -> int:
    """Delete the answers that have expired and return how many."""
    gone, _ = IdempotencyRecord.objects.filter(expires_at__lt=clock.now()).delete()
    return gone
