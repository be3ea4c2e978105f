"""Patients in the palette of the back office."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.profiles.admin.patients import sheet_of
from apps.profiles.models import Patient
from apps.profiles.selectors import search
from restartix.kernel.admin.palette import Finder, Result

site: Any = admin.site


def patients(text: str, limit: int) -> Iterator[Result]:
    """Yield the clinic's patients that `text` means; the day of birth tells namesakes apart while it is shared."""
    found = search.best(text, limit=limit)
    shared = search.sharing(found)
    for patient in found:
        yield Result(patient.person.name, sheet_of(patient.pk), detail(patient, is_shared=patient.pk in shared))


def detail(patient: Patient, *, is_shared: bool) -> str:
    """Return what tells a patient from namesakes; the day of birth only while it is shared."""
    born = patient.person.date_of_birth if is_shared else None
    parts = [_("No. %(number)s") % {"number": patient.pk}, patient.consumer_id]
    parts.append(_("born %(day)s") % {"day": date_format(born)} if born else None)
    return " · ".join(part for part in parts if part)


site.finders.append(Finder(gettext_lazy("Patients"), patients))
