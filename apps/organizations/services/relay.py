"""The relay: hands committed facts to the reactions of higher apps, at least once, and never twice at a time.

The fact table is the outbox. A relay leases a batch under SKIP LOCKED, so several may run; a lease that is not kept
(a killed worker) runs out and another relay takes over. Celery only wakes it, a periodic run is the guarantee.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import connection

from apps.organizations.models import Fact
from restartix.kernel import clock
from restartix.kernel.facts import reactions_to
from restartix.kernel.tenancy import Actor, Trace, across_organizations, acting_for

logger = logging.getLogger(__name__)

BATCH = 100
#: Longer than any reaction takes.
LEASE = timedelta(seconds=60)
#: Wait after a failure, doubled each time up to an hour.
FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(hours=1)
ACTOR = Actor.system("relay_facts")

# Facts become visible in the order of their commits, not of their ids: taken by state, never by a cursor.
_LEASE = """
UPDATE organizations_fact SET not_before = clock_timestamp() + make_interval(secs => %s)
 WHERE id IN (SELECT id FROM organizations_fact WHERE relayed_at IS NULL AND not_before <= clock_timestamp()
              ORDER BY not_before, id LIMIT %s FOR UPDATE SKIP LOCKED)
RETURNING id, organization_id
"""


def run(*, batch: int = BATCH) -> int:
    """Relay what waits, until nothing is left that is due, and return how many facts were relayed."""
    relayed = 0
    while leased := _lease(batch):
        relayed += sum(_relay(fact_id, organization_id) for fact_id, organization_id in leased)
    return relayed


def _lease(batch: int) -> list[tuple[int, int]]:
    with (
        across_organizations(reason="lease facts of every clinic", actor=ACTOR, trace=Trace(source="task")),
        connection.cursor() as cursor,
    ):
        cursor.execute(_LEASE, [LEASE.total_seconds(), batch])
        return sorted(cursor.fetchall())


def _relay(fact_id: int, organization_id: int) -> bool:
    try:
        with acting_for(organization_id, actor=ACTOR, trace=Trace(source="task")):
            fact = Fact.objects.select_for_update(skip_locked=True).filter(pk=fact_id, relayed_at=None).first()
            if fact is None:
                return False
            for reaction in reactions_to(fact.name):
                reaction(fact)
            fact.relayed_at = clock.now()
            fact.save(update_fields=["relayed_at"])
    except Exception:
        logger.exception("a reaction to fact %s failed", fact_id)
        _postpone(fact_id, organization_id)
        return False
    return True


def _postpone(fact_id: int, organization_id: int) -> None:
    with acting_for(organization_id, actor=ACTOR, trace=Trace(source="task")):
        fact = Fact.objects.select_for_update().get(pk=fact_id)
        fact.failures = min(fact.failures + 1, 1000)
        fact.not_before = clock.now() + min(FIRST_RETRY * 2 ** min(fact.failures - 1, 10), LONGEST_RETRY)
        fact.save(update_fields=["failures", "not_before"])
