"""Caregivers in the back office: who acts for which patient, since when; appointed, ended. Source: contract 1.4."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.profiles.admin.consents import NumberOfPatient
from apps.profiles.admin.patients import sheet_of
from apps.profiles.models import Patient, PatientPersonManager
from apps.profiles.services import caregivers
from restartix.kernel import clock
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import DateInput
from restartix.kernel.roles import DESK, STAFF
from restartix.kernel.tenancy import Actor


class CaregiverForm(ServiceForm):
    """Who may act for the patient, and how long."""

    patient = NumberOfPatient()
    email = forms.EmailField(label=_("E-mail"), help_text=_("Of the caregiver's login, which has to exist."))
    valid_from = forms.DateField(required=False, widget=DateInput, help_text=_("Empty: today."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Look for the patient in this clinic only."""
        super().__init__(*args, **kwargs)
        self.fields["patient"].queryset = Patient.objects.alive()  # type: ignore[attr-defined]


def _appoint(*, by: Actor, patient: Patient, **values: Any) -> PatientPersonManager:
    return caregivers.appoint(patient, by=by, **values)


def is_over(row: PatientPersonManager) -> bool:
    """Tell whether the link gives nothing any more, by the clinic's date."""
    today = timezone.localdate(clock.now())
    return row.ended_at is not None or (row.valid_to is not None and row.valid_to < today)


@admin.register(PatientPersonManager)
class CaregiverAdmin(ServiceAdmin):
    """People who look after a patient's affairs at this clinic."""

    form = CaregiverForm
    entity = "patient_person_manager"
    creates = staticmethod(_appoint)
    may = {"view": STAFF, "add": DESK}
    fields = ("patient", "email", "relation", "permissions", "valid_from", "valid_to")
    shown_fields = (
        "who",
        "user",
        "relation",
        "permissions",
        "valid_from",
        "valid_to",
        "ended_at",
        "created_by",
        "created_at",
    )
    list_display = ("who", "user", "relation", "permissions", "valid_from", "valid_to", "holds")
    list_filter = ("relation", "permissions")
    list_select_related = ("patient__person", "user")
    search_fields = ("user__name", "user__email")
    ordering = ("-created_at", "-id")
    intro = _("A link belongs to one patient of this clinic and gives nothing elsewhere.")
    empty_text = _("Nobody acts for a patient here.")
    moves = (
        Move(
            name="end",
            label=_("End"),
            does=caregivers.end,
            may=DESK,
            asks=True,
            is_grave=True,
            explains=_("The caregiver sees nothing of the patient from the next request on."),
            applies=lambda row: not is_over(row),
        ),
    )

    def patient_of(self, row: Any) -> int | None:
        """Put on record whose caregiver was looked at."""
        return int(row.patient_id)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the patient's sheet, where the caregiver is shown."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(sheet_of(obj.patient_id))

    @admin.display(description=_("patient"), ordering="patient__person__name")
    def who(self, row: Any) -> str:
        """Show the patient's name."""
        return str(row.patient.person.name)

    @admin.display(description=_("holds now"), boolean=True)
    def holds(self, row: Any) -> bool:
        """Tell whether the caregiver may do anything now."""
        return not is_over(row)
