"""Background work of scheduling: what lapsed holds leave behind, and old trails."""

from __future__ import annotations

from apps.scheduling.services import sweeping
from restartix.kernel.periodic import periodic


@periodic("sweep_holds", every=15)
def sweep_holds() -> int:
    """Remove the claims of lapsed holds and announce that their time is free."""
    return sweeping.sweep()


@periodic("purge_holds", every=3600)
def purge_holds() -> int:
    """Delete holds that ended 24 hours ago, and their trails after 90 days."""
    return sweeping.purge()
