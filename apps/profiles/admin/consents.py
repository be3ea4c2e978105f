"""Consents in the back office: read, taken on paper or by word, withdrawn; never changed. Source: contract 1.5, 4."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.profiles.admin.patients import sheet_of
from apps.profiles.lifecycles import ConsentStatus
from apps.profiles.models import ConsentRecord, Patient
from apps.profiles.services import consents
from restartix.kernel.admin.forms import ServiceForm
from restartix.kernel.admin.model_admin import ServiceAdmin
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import MomentInput
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor

LONGEST_NOTE = 500


class NumberOfPatient(forms.ModelChoiceField):
    """A patient by number: a clinic has too many to choose from a list."""

    widget = forms.NumberInput

    def __init__(self) -> None:
        """Take the clinic's patients who are not removed."""
        super().__init__(
            Patient.objects.none(),
            label=_("Patient number"),
            help_text=_("As the list of patients shows it; from a patient's sheet it is filled in."),
            error_messages={"invalid_choice": _("There is no such patient.")},
        )


class ConsentForm(ServiceForm):
    """A consent that the patient gave on paper or by word."""

    patient = NumberOfPatient()
    method = forms.ChoiceField(choices=[("paper", _("Paper")), ("verbal", _("Verbal"))])
    granted_at = forms.DateTimeField(
        required=False, widget=MomentInput, help_text=_("Empty: now. On the clinic's clock.")
    )

    class Meta:
        help_texts = {"policy_version": _("Empty: the clinic's current one.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Look for the patient in this clinic only."""
        super().__init__(*args, **kwargs)
        self.fields["patient"].queryset = Patient.objects.alive()  # type: ignore[attr-defined]
        self.fields["policy_version"].required = False


class WithdrawalForm(forms.Form):
    """Why a consent ends."""

    note = forms.CharField(
        max_length=LONGEST_NOTE,
        required=False,
        label=_("Note"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Needed where the patient gave the consent in person, in the application."),
    )


def _grant(*, by: Actor, **values: Any) -> ConsentRecord:
    return consents.grant(by=by, **values).record


def _withdraw(record: ConsentRecord, *, by: Actor, **values: Any) -> ConsentRecord:
    return consents.withdraw(record, by=by, for_patient=True, **values)


@admin.register(ConsentRecord)
class ConsentAdmin(ServiceAdmin):
    """What patients agreed to, and what they took back."""

    form = ConsentForm
    entity = "consent"
    creates = staticmethod(_grant)
    may = {"view": STAFF, "add": STAFF}
    fields = ("patient", "type", "method", "policy_version", "granted_at")
    shown_fields = (
        "who",
        "type",
        "shown_status",
        "policy_version",
        "method",
        "granted_at",
        "granted_by",
        "withdrawn_at",
        "withdrawn_by",
        "withdrawal_note",
    )
    list_display = ("who", "type", "shown_status", "policy_version", "method", "granted_at", "withdrawn_at")
    list_filter = ("type", "status", "method")
    list_select_related = ("patient__person",)
    ordering = ("-granted_at", "-id")
    intro = _("Nothing here is changed or deleted: a consent is given, replaced by a newer one, or withdrawn.")
    empty_text = _("Nobody has agreed to anything yet.")
    moves = (
        Move(
            name="withdraw",
            label=_("Withdraw"),
            does=_withdraw,
            may=STAFF,
            form=WithdrawalForm,
            is_grave=True,
            explains=_("In the patient's name. It takes effect at once."),
            applies=lambda row: row.status == ConsentStatus.ACTIVE,
        ),
    )

    def patient_of(self, row: Any) -> int | None:
        """Put on record whose consent was opened."""
        return int(row.patient_id)

    def called(self, row: Any) -> str:
        """Say what was agreed to, and by whom."""
        return f"{row.get_type_display()} · {row.patient.person.name}"

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Go on to the patient's sheet, where the consent is shown."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(sheet_of(obj.patient_id))

    @admin.display(description=_("patient"), ordering="patient__person__name")
    def who(self, row: Any) -> str:
        """Show the patient's name."""
        return str(row.patient.person.name)

    @admin.display(description=_("status"), ordering="status")
    def shown_status(self, row: Any) -> str:
        """Show how the consent stands."""
        style = "confirmed" if row.status == ConsentStatus.ACTIVE else "done"
        return format_html('<span class="badge s-{}">{}</span>', style, row.get_status_display())
