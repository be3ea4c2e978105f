"""The patient's sheet: one page with everything the clinic may see of one patient, and what can be done.

Opening it is on record. Source: contract/profiles.md 1.1, 4; contract/telemetry.md 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.profiles.admin import panels
from apps.profiles.admin.caregivers import is_over
from apps.profiles.admin.panels import Panel, Sheet
from apps.profiles.admin.patient_forms import EMERGENCY, HEALTH, IDENTITY
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient, PatientPerson, PatientPersonManager
from apps.profiles.selectors.people import is_shared
from restartix.kernel import audit, clock
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.api.requests import trace_of
from restartix.kernel.roles import ADMINS, DESK, STAFF
from restartix.kernel.tenancy import acting_for

site: Any = admin.site


def sheet(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Show one patient of the clinic, removed ones too; the reading is on record. Raises Http404 for any other.

    To a superadmin who looks at all clinics it is shown inside the patient's own, to be read.
    """
    organization_id = Patient.objects.filter(pk=patient_id).values_list("organization_id", flat=True).first()
    if organization_id is None:
        raise Http404
    entry = entry_of(request)
    if entry.workplace is not None:
        return _page(request, patient_id)
    trace = replace(trace_of(request), source="admin")
    with acting_for(organization_id, actor=entry.actor, trace=trace):
        return _page(request, patient_id)


def _page(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Return the page, written while its clinic's rows can be read."""
    patient = Patient.objects.select_related("person__user").get(pk=patient_id)
    shown = Sheet(patient, is_shared(patient))
    audit.read("patient", patient.pk, patient_id=patient.pk)
    page = site._registry[Patient]  # noqa: SLF001 (the page of the same rows decides who may do what)
    is_inside = entry_of(request).workplace is not None
    context = {
        **site.each_context(request),
        "title": patient.person.name,
        "sheet": shown,
        "patient": patient,
        "may_change": page.has_change_permission(request, patient),
        "moves": page.open_moves(request, patient),
        "actions": panels.actions_of(request, shown) if is_inside else [],
        "panels": panels.panels_of(request, shown),
        "is_inside": is_inside,
        "shows_history": entry_of(request).may(ADMINS),
        "here": request.path,
    }
    return TemplateResponse(request, "admin/profiles/sheet.html", context).render()


# -- the panels of this app --------------------------------------------------------------------------------------------


def _person(request: HttpRequest, shown: Sheet) -> Mapping[str, Any]:
    """Return what is known of the person, nothing behind a closed gate."""
    if not shown.is_shared:
        return {"is_shared": False}
    person = shown.patient.person
    return {
        "is_shared": True,
        "groups": [
            (gettext_lazy("Contact"), _values(person, [name for name in IDENTITY if name != "name"])),
            (gettext_lazy("Health"), _values(person, HEALTH)),
            (gettext_lazy("In an emergency"), _values(person, EMERGENCY)),
        ],
        "insurances": person.insurance_entries,
        "age": _age(person.date_of_birth),
    }


def _values(person: PatientPerson, names: Any) -> list[tuple[str, Any, str]]:
    """Return (label, value, kind) of the person's fields that have a value."""
    columns = {field.name: field for field in PatientPerson._meta.concrete_fields}
    kinds = {"phone": "phone", "emergency_contact_phone": "phone", "email": "email"}
    said = []
    for name in names:
        value = getattr(person, f"get_{name}_display")() if name == "sex" and person.sex else getattr(person, name)
        if value:
            kind = "date" if isinstance(value, date) else "list" if isinstance(value, list) else kinds.get(name, "text")
            said.append((str(columns[name].verbose_name), value, kind))
    return said


def _age(born: date | None) -> int | None:
    """Return the age in whole years, by the clinic's date."""
    if born is None:
        return None
    today = timezone.localdate(clock.now())
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _consents(request: HttpRequest, shown: Sheet) -> Mapping[str, Any]:
    """Return the active consents and the ones that ended, newest first."""
    rows = list(ConsentRecord.objects.filter(patient=shown.patient).order_by("-granted_at", "-pk"))
    return {
        "active": [row for row in rows if row.status == ConsentStatus.ACTIVE],
        "ended": [row for row in rows if row.status != ConsentStatus.ACTIVE],
        "may_write": _is_open_for_writing(request, shown),
        "add_url": f"{reverse('admin:profiles_consentrecord_add')}?patient={shown.patient.pk}",
    }


def _is_open_for_writing(request: HttpRequest, shown: Sheet) -> bool:
    """Tell whether anything may be added here: inside the clinic, to a patient who is not removed."""
    return entry_of(request).workplace is not None and shown.patient.deleted_at is None


def _caregivers(request: HttpRequest, shown: Sheet) -> Mapping[str, Any]:
    """Return who acts for the patient now or will, and who did."""
    rows = PatientPersonManager.objects.filter(patient=shown.patient).select_related("user")
    links = [(row, is_over(row)) for row in rows.order_by("-valid_from", "-pk")]
    return {
        "links": sorted(links, key=lambda link: link[1]),
        "may_write": entry_of(request).may(DESK) and _is_open_for_writing(request, shown),
        "add_url": f"{reverse('admin:profiles_patientpersonmanager_add')}?patient={shown.patient.pk}",
    }


panels.add(Panel("person", gettext_lazy("Person"), "admin/profiles/panels/person.html", _person, rank=10))
panels.add(Panel("consents", gettext_lazy("Consents"), "admin/profiles/panels/consents.html", _consents, rank=30))
panels.add(
    Panel("caregivers", gettext_lazy("Caregivers"), "admin/profiles/panels/caregivers.html", _caregivers, rank=40)
)
site.add_page(Page(path="patients/<int:patient_id>/", name="patient_sheet", view=sheet, may=STAFF))
