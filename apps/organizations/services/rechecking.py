"""The daily check of every verified domain. Source: contract/organizations.md 1.4.

The names are asked of the DNS several at a time and outside any transaction; what was seen is then written down clinic
by clinic. Runs beside each other do not count a failure twice (domains.recheck).
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from apps.organizations.errors import NoDns
from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import Domain
from apps.organizations.services import domains, records
from apps.organizations.services.records import Seen
from restartix.kernel.tenancy import Actor, Trace, across_organizations, acting_for

logger = logging.getLogger(__name__)

ACTOR = Actor.system("recheck_domains")
#: Questions that wait for an answer at the same time.
AT_ONCE = 8


def run() -> int:
    """Check every verified domain once and return how many were checked; a DNS that does not answer is no check."""
    waiting, checked = iter(_verified()), 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="dns") as pool:
        while batch := list(islice(waiting, AT_ONCE)):
            for domain, seen in zip(batch, pool.map(_seen, batch), strict=True):
                checked += seen is not None and _written(domain, seen)
    return checked


def _verified() -> list[Domain]:
    with across_organizations(reason="check the domains of every clinic", actor=ACTOR, trace=Trace(source="task")):
        return list(Domain.objects.filter(status=DomainStatus.VERIFIED).order_by("organization_id", "pk"))


def _seen(domain: Domain) -> Seen | None:
    """Return what the DNS says, None if nothing; called in a thread that knows no database."""
    try:
        return records.texts_at(domain.record_name)
    except NoDns:
        return None


def _written(domain: Domain, seen: Seen) -> bool:
    assert domain.organization_id is not None
    with acting_for(domain.organization_id, actor=ACTOR, trace=Trace(source="task")):
        return domains.recheck(domain.pk, seen=seen, last_checked_at=domain.last_checked_at)
