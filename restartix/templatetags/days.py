"""Days in the reader's language, as `restartix.kernel.dates` writes them: `{{ day|day_in_year }}`."""

from __future__ import annotations

from datetime import date

from django import template
from django.utils.translation import get_language

from restartix.kernel import dates

register = template.Library()


def language() -> str:
    """Return the language of the page: Romanian or English."""
    return "en" if (get_language() or "ro").startswith("en") else "ro"


@register.filter
def long_day(day: date) -> str:
    """Write `luni, 7 decembrie 2026`."""
    return dates.long_day(day, language())


@register.filter
def day_in_year(day: date) -> str:
    """Write `luni, 7 decembrie`."""
    return dates.day_in_year(day, language())


@register.filter
def short_day(day: date) -> str:
    """Write `lun., 7 dec.`."""
    return dates.short_day(day, language())
