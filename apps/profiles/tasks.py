"""Background work of profiles."""

from __future__ import annotations

from apps.profiles.services import licences
from restartix.kernel.periodic import periodic


@periodic("license_alerts", every="0 6 * * *")
def license_alerts() -> int:
    """Write to the admins about licences that run out in 60, 30, 7 or 0 days."""
    return licences.alert()
