"""The patient's visits on the patient's sheet: what comes next, and what was last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.profiles.admin import panels
from apps.profiles.admin.panels import Panel, Sheet
from apps.scheduling.admin.appointments import short_moment, status_badge
from apps.scheduling.lifecycles import ACTIVE
from apps.scheduling.models import Appointment
from restartix.kernel import clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.roles import Role

#: So many of each are shown; the list of appointments has the others.
SHOWN = 5


def visits(request: HttpRequest, shown: Sheet) -> Mapping[str, Any]:
    """Return the next and the last visits; specialists see their own, as everywhere."""
    now = clock.now()
    rows = Appointment.objects.visible_to(entry_of(request).actor, today=now.date()).filter(patient=shown.patient)
    rows = rows.select_related("specialist")
    coming = rows.filter(status__in=ACTIVE, ended_at__gt=now).order_by("started_at", "pk")[:SHOWN]
    past = rows.exclude(status__in=ACTIVE, ended_at__gt=now).order_by("-started_at", "-pk")[:SHOWN]
    return {
        "coming": [_told(row) for row in coming],
        "past": [_told(row) for row in past],
        "booking_url": _booking_url(request, shown),
        "sees_own_only": entry_of(request).role == Role.SPECIALIST,
    }


def _booking_url(request: HttpRequest, shown: Sheet) -> str:
    """Return where a visit of the patient is made, nothing for a file that is closed."""
    if entry_of(request).workplace is None or shown.patient.deleted_at is not None:
        return ""
    return f"{reverse('admin:free')}?patient={shown.patient.pk}"


def _told(row: Appointment) -> tuple[Appointment, str, str]:
    return row, short_moment(row.started_at), status_badge(row)


panels.add(Panel("visits", _("Visits"), "admin/scheduling/visits_panel.html", visits, rank=20))
