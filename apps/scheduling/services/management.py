"""The link in the confirmation: whoever has it sees and cancels one appointment, without an account.

The token is derived from the server's secret and the appointment's uid, so that repeating a booking gives the same one
and nothing needs to be stored. Source: contract/scheduling.md 4, "Manage token".
"""

from __future__ import annotations

import base64
import hmac
from datetime import timedelta
from uuid import UUID

from apps.scheduling.models import Appointment
from restartix.kernel import clock
from restartix.kernel.crypto import keyed_hash
from restartix.kernel.errors import NotFound

#: The link works until so many days after the end.
VALID_DAYS_AFTER_END = 30


def manage_token(uid: UUID) -> str:
    """Return the 43 characters that open the appointment with this uid."""
    return base64.urlsafe_b64encode(keyed_hash(str(uid), purpose="manage-token")).rstrip(b"=").decode()


def find(*, uid: UUID, token: str | None) -> Appointment:
    """Return the appointment that `token` opens.

    Raises NotFound (404) if it is unknown or deleted, if the token is missing or wrong, or 30 days after its end.
    """
    fits = hmac.compare_digest(manage_token(uid).encode(), (token or "").encode("utf-8", "replace"))
    row = (
        Appointment.objects.alive()
        .select_related("specialist", "appointment_template", "organization")
        .filter(uid=uid, ended_at__gt=clock.now() - timedelta(days=VALID_DAYS_AFTER_END))
        .first()
        if fits
        else None
    )
    if row is None:
        raise NotFound
    return row
