"""What a page says when it cannot do what was asked, and what the visitor can do about it."""

from __future__ import annotations

import math
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from restartix.kernel.errors import Refusal


def described(refusal: Refusal) -> dict[str, Any]:
    """Return heading and advice for a refusal that leaves nothing else to show."""
    if refusal.status == 429:
        return {"heading": _("One moment, please"), "advice": _patience(int(refusal.headers.get("Retry-After", "60")))}
    if refusal.status == 404:
        return {
            "heading": _("There is nothing here"),
            "advice": _("The link may be incomplete or no longer valid. You can look at what can be booked now."),
        }
    return {
        "heading": _("That did not work"),
        "advice": _("This is our fault, not yours, and nothing was booked or changed. Please try again in a minute."),
    }


def _patience(seconds: int) -> str:
    """Say how long to wait."""
    if seconds <= 60:
        wait = ngettext("Try again in %(count)d second.", "Try again in %(count)d seconds.", seconds) % {
            "count": seconds
        }
    else:
        minutes = math.ceil(seconds / 60)
        wait = ngettext("Try again in %(count)d minute.", "Try again in %(count)d minutes.", minutes) % {
            "count": minutes
        }
    return _("A great many requests came from your connection. {wait}").format(wait=wait)
