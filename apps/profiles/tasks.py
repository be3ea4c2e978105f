"""Background work of profiles."""

from __future__ import annotations

from apps.profiles.services import impersonations, licences
from restartix.kernel.periodic import periodic


@periodic("license_alerts", every="0 6 * * *")
def license_alerts() -> int:
    """Write to the admins about licences that run out in 60, 30, 7 or 0 days."""
    return licences.alert()


@periodic("expire_impersonations", every=60)
def expire_impersonations() -> int:
    """Write down the end of impersonations whose hour has run out; their tokens are refused already."""
    return impersonations.expire()
