"""Quantities and kinds as the pages say them, in the active language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.organizations.models import ConsentType
from apps.scheduling.models.templates import Mode


def duration(minutes: int) -> str:
    """Return `50 min`, `1 h`, `1 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    return " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)


def price(amount: Decimal | None, currency: str, language: str) -> str:
    """Return `180 lei` or `RON 180`, nothing where no price is shown; zero is said in words."""
    if amount is None:
        return ""
    if amount == 0:
        return _("Free of charge")
    number = f"{amount:.2f}".removesuffix(".00")
    if language == "ro":
        return f"{number.replace('.', ',')} {'lei' if currency == 'RON' else currency}"
    return f"{currency} {number}"


def mode(kind: str) -> str:
    """Return where patient and specialist meet."""
    return _("By video") if kind == Mode.VIDEO else _("At the clinic")


def free_times(count: int) -> str:
    """Return `5 free times`."""
    return ngettext("%(count)d free time", "%(count)d free times", count) % {"count": count}


def hours(count: int) -> str:
    """Return `24 hours`."""
    return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}


def one_line(address: dict[str, Any] | None) -> str:
    """Return a postal address on one line, its country left out."""
    if not address:
        return ""
    town = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    parts = (address.get("line1"), address.get("line2"), town, address.get("county"))
    return ", ".join(part for part in parts if part)


def agreement(kind: str) -> str:
    """Return the sentence that a visitor agrees to."""
    return {
        ConsentType.PRIVACY_POLICY: _("I have read the privacy policy and agree that my data are used for this booking."),
        ConsentType.TELEREHAB_CONSENT: _("I agree to be treated at a distance (telerehabilitation)."),
        ConsentType.PROFILE_SHARING: _("I agree that this clinic sees the profile I keep with other clinics."),
        ConsentType.VIDEO_RECORDING: _("I agree that video sessions may be recorded."),
        ConsentType.HIPAA_NOTICE: _("I have received the HIPAA notice of privacy practices."),
        ConsentType.MARKETING: _("I agree to receive news and offers of the clinic."),
        ConsentType.ANALYTICS: _("I agree that my use of the service is measured to improve it."),
        ConsentType.MOVEMENT_DATA: _("I agree that data about my movements are recorded and analysed."),
    }[ConsentType(kind)]
