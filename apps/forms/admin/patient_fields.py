"""The clinic's own fields on the patient's sheet, and the page where their values are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.forms.admin.field_forms import ProfileForm
from apps.forms.domain.field_types import CHOSEN, FieldType
from apps.forms.selectors import values as selectors
from apps.forms.services import values as services
from apps.profiles.admin import panels
from apps.profiles.admin.panels import Panel, Sheet
from apps.profiles.models import Patient
from restartix.kernel import audit
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.errors import Refusal
from restartix.kernel.roles import STAFF

site: Any = admin.site


def shown(field_type: str, options: Sequence[Mapping[str, str]], value: Any) -> str:
    """Return a stored value as a person reads it: options by their labels, days and numbers in the reader's way."""
    if FieldType(field_type) in CHOSEN:
        labels = {option["value"]: option["label"] for option in options}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(str(labels.get(each, each)) for each in chosen)
    if field_type == FieldType.DATE:
        return str(date_format(date.fromisoformat(value), "DATE_FORMAT"))
    return str(number_format(value)) if field_type == FieldType.NUMBER else str(value)


def _fields_panel(request: HttpRequest, sheet: Sheet) -> Mapping[str, Any]:
    """Return the fields that have a value, and how many wait for one."""
    answers = selectors.values_of_patient(sheet.patient, private=True)
    said = [
        (each.label, shown(each.field_type, each.options, each.value), each.is_private)
        for each in answers
        if each.value is not None
    ]
    edit = reverse("admin:patient_fields", args=[sheet.patient.pk]) if sheet.patient.deleted_at is None else ""
    return {"said": said, "unset": len(answers) - len(said), "edit_url": edit}


def fields_of(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Show and write one patient's values of the clinic's fields; opening them is on record.

    Raises Http404 for a patient who is removed or not of this clinic.
    """
    if entry_of(request).workplace is None:
        raise Http404
    patient = Patient.objects.alive().select_related("person").filter(pk=patient_id).first()
    if patient is None:
        raise Http404
    posted = request.POST if request.method == "POST" else None
    form = ProfileForm(selectors.values_of_patient(patient, private=True), posted)
    if posted is not None and form.is_valid() and _written(request, patient, form):
        messages.success(request, _("The fields of %(name)s were saved.") % {"name": patient})
        return HttpResponseRedirect(reverse("admin:patient_sheet", args=[patient.pk]))
    audit.read("patient", patient.pk, patient_id=patient.pk)
    title = _("Fields of %(name)s") % {"name": patient}
    context = {**site.each_context(request), "title": title, "patient": patient, "form": form}
    return TemplateResponse(request, "admin/forms/patient_fields.html", context)


def _written(request: HttpRequest, patient: Patient, form: ProfileForm) -> bool:
    """Write what was changed; False, with errors in the form, if a value is refused."""
    changes = form.changes()
    if not changes:
        return True
    try:
        with transaction.atomic():
            services.write_patient(patient, changes, by=entry_of(request).actor, private=True)
    except Refusal as refusal:
        form.show_refusal(refusal)
        return False
    return True


panels.add(
    Panel("fields", gettext_lazy("Fields of the clinic"), "admin/forms/fields_panel.html", _fields_panel, rank=15)
)
site.add_page(Page(path="patients/<int:patient_id>/fields/", name="patient_fields", view=fields_of, may=STAFF))
