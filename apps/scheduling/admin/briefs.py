"""Briefs: what other parts know of the patients of a day, told to whoever treats them next.

Apps above this one add theirs when their back office is loaded:

    briefs.add("plan", progress_of_plans, rank=30)

A source is asked once for all visits of a page, and answers with a constant number of statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.scheduling.models import Appointment
from apps.scheduling.selectors.agenda import Visit
from apps.scheduling.services import paperwork
from restartix.kernel.admin.entry import entry_of


@dataclass(frozen=True, slots=True)
class Brief:
    """One line about a visit: what it is about, what there is to say, and where to read more."""

    label: str
    text: str
    url: str = ""
    #: Whether it should be seen before the visit begins.
    is_grave: bool = False


#: Returns the lines of each visit by the id of its appointment; a visit about which there is nothing may be left out.
Source = Callable[[HttpRequest, Sequence[Visit]], Mapping[int, Sequence[Brief]]]

_sources: dict[str, tuple[int, Source]] = {}


def add(name: str, source: Source, *, rank: int = 50) -> None:
    """Tell what `source` knows with every visit; a lower `rank` comes first, another of the same name is replaced."""
    _sources[name] = (rank, source)


def briefs_of(request: HttpRequest, visits: Sequence[Visit]) -> dict[int, list[Brief]]:
    """Return the lines of each visit, in order, by the id of its appointment."""
    told: dict[int, list[Brief]] = {visit.appointment.pk: [] for visit in visits}
    for _rank, source in sorted(_sources.values(), key=lambda each: each[0]):
        for key, lines in source(request, visits).items():
            told[key] += lines
    return told


# -- the forms of an appointment, from whoever keeps them --------------------------------------------------------------


def _forms(request: HttpRequest, visits: Sequence[Visit]) -> dict[int, list[Brief]]:
    rows = [visit.appointment for visit in visits]
    kept = paperwork.kept().of(rows, seen_by=entry_of(request).actor)
    return {key: [Brief(_("Forms"), _told(forms))] for key, forms in kept.items() if forms}


def _told(forms: Sequence[Mapping[str, Any]]) -> str:
    filled = sum(form.get("status") in ("completed", "signed") for form in forms)
    return _("%(filled)s of %(count)s filled in") % {"filled": filled, "count": len(forms)}


def _wishes(request: HttpRequest, visits: Sequence[Visit]) -> dict[int, list[Brief]]:
    """Return what patients wrote when they booked."""
    rows: list[Appointment] = [visit.appointment for visit in visits]
    return {row.pk: [Brief(_("From the patient"), row.patient_notes)] for row in rows if row.patient_notes}


add("wishes", _wishes, rank=10)
add("forms", _forms, rank=20)
