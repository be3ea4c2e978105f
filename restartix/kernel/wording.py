"""Quantities, addresses and numbers as pages and mail write them, in the active language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext


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


def whole_hours(count: int) -> str:
    """Return `24 hours`."""
    return ngettext("%(count)d hour", "%(count)d hours", count) % {"count": count}


def one_line(address: Mapping[str, Any] | None) -> str:
    """Return a postal address on one line, its country left out."""
    if not address:
        return ""
    town = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    parts = (address.get("line1"), address.get("line2"), town, address.get("county"))
    return ", ".join(part for part in parts if part)


def phone(number: str | None) -> str:
    """Return a telephone number in groups that can be read aloud: `+40 312 345 678`."""
    import phonenumbers  # its tables are loaded when a number is first shown

    try:
        parsed = phonenumbers.parse(number or "")
    except phonenumbers.NumberParseException:
        return number or ""
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
