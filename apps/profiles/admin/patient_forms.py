"""Forms of a patient's file: the clinic's own reference, and the person while the profile is shared."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Patient, PatientPerson
from apps.profiles.models.patients import AdministrativeGender, BloodType
from restartix.kernel.admin.forms import RowForm, ServiceForm
from restartix.kernel.admin.names import Name
from restartix.kernel.admin.widgets import DateInput

#: What is written of a person, by the parts of the form.
IDENTITY = ("name", "email", "phone", "date_of_birth", "sex", "occupation", "residence")
HEALTH = ("blood_type", "allergies", "chronic_conditions")
EMERGENCY = ("emergency_contact_name", "emergency_contact_phone")
PERSON = (*IDENTITY, *HEALTH, *EMERGENCY, "insurance_entries")
INSURANCE_KINDS = ("employer", "private", "state")
MOST_LINES, LONGEST_LINE = 50, 200


class Lines(forms.CharField):
    """A list of short texts, one a line."""

    widget = forms.Textarea({"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Write one text a line."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines that are not empty."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def validate(self, value: list[str]) -> None:
        """Hold to the bounds of the list and of each text."""
        super().validate(value)
        if len(value) > MOST_LINES:
            raise forms.ValidationError(_("At most %(most)s lines.") % {"most": MOST_LINES})
        if any(len(line) > LONGEST_LINE for line in value):
            raise forms.ValidationError(_("At most %(most)s characters a line.") % {"most": LONGEST_LINE})

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists."""
        return self.to_python(data) != (initial or [])


class Insurances(Lines):
    """Insurances, one a line: `private | Allianz | 123 | 2027-01-31`; the last part may be left out."""

    widget = forms.Textarea({"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Write one insurance a line."""
        return "\n".join(_line_of(entry) for entry in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the lines. Raises ValidationError with what is wrong in which line."""
        lines = [line for line in (value or "").splitlines() if line.strip()]
        if len(lines) > 10:
            raise forms.ValidationError(_("At most 10 lines."))
        return [_insurance(number, line) for number, line in enumerate(lines, start=1)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as lists; what cannot be read has changed."""
        try:
            return self.to_python(data) != (initial or [])
        except forms.ValidationError:
            return True


def _line_of(entry: dict[str, Any]) -> str:
    parts = (entry["kind"], entry["insurer"], entry["policy_number"], entry.get("valid_to"))
    return " | ".join(str(part) for part in parts if part)


def _insurance(number: int, line: str) -> dict[str, Any]:
    kind, insurer, policy, valid_to = ([part.strip() for part in line.split("|")] + [""] * 4)[:4]
    if kind not in INSURANCE_KINDS or not 0 < len(insurer) <= 200 or not 0 < len(policy) <= 100:
        raise forms.ValidationError(
            _("Line %(number)s: write employer, private or state | insurer | policy number | last day.")
            % {"number": number}
        )
    try:
        last = date.fromisoformat(valid_to).isoformat() if valid_to else None
    except ValueError as error:
        raise forms.ValidationError(_("Line %(number)s: the last day as 2027-01-31.") % {"number": number}) from error
    return {"kind": kind, "insurer": insurer, "policy_number": policy, "valid_to": last}


def _choices(values: Any) -> list[tuple[str, Any]]:
    return [("", "–"), *((value, Name(str(label), "name")) for value, label in values.choices)]


class FileForm(ServiceForm):
    """What the clinic itself keeps of a patient."""

    field_names = {f"person.{name}": name for name in PERSON}

    class Meta:
        model = Patient
        fields = ("consumer_id",)
        help_texts = {"consumer_id": _("The clinic's own reference, such as the number of the paper file.")}


class PersonFields(RowForm):
    """The person's fields, as they are read and written while the profile is shared."""

    name = forms.CharField(max_length=200)
    email = forms.EmailField(max_length=254, required=False, help_text=_("For letters; not the login's."))
    phone = forms.CharField(max_length=30, required=False, widget=forms.TextInput({"type": "tel"}))
    date_of_birth = forms.DateField(required=False, widget=DateInput)
    sex = forms.ChoiceField(choices=lambda: _choices(AdministrativeGender), required=False)
    occupation = forms.CharField(max_length=200, required=False)
    residence = forms.CharField(max_length=200, required=False)
    blood_type = forms.ChoiceField(choices=[("", "–"), *((value, value) for value in BloodType.values)], required=False)
    allergies = Lines(required=False, help_text=_("One a line."))
    chronic_conditions = Lines(required=False, help_text=_("One a line."))
    emergency_contact_name = forms.CharField(max_length=200, required=False)
    emergency_contact_phone = forms.CharField(max_length=30, required=False, widget=forms.TextInput({"type": "tel"}))
    insurance_entries = Insurances(
        required=False,
        help_text=_("One a line: employer, private or state | insurer | policy number | last day as 2027-01-31."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Begin with what is known of the person, and call the fields as the person's columns are called."""
        super().__init__(*args, **kwargs)
        columns = {field.name: field for field in PatientPerson._meta.concrete_fields}
        person = self.instance.person if self.instance.pk else None
        for name in PERSON:
            if name in self.fields:
                self.fields[name].label = _sentence(columns[name].verbose_name)
                if person is not None:
                    self.initial[name] = getattr(person, name)


def _sentence(name: Any) -> str:
    text = str(name)
    return text[:1].upper() + text[1:]


class SharedForm(FileForm, PersonFields):
    """The file and the person of a patient who shares the profile."""

    class Meta(FileForm.Meta):
        fields = ("consumer_id",)


class NewPatientForm(FileForm, PersonFields):
    """A new patient: the person as told at the desk, and what was agreed to on paper."""

    shares = forms.BooleanField(
        required=False,
        label=_("Has agreed on paper to share the profile with the clinic"),
        help_text=_("Without it the clinic keeps the data but sees the name only."),
    )
    create_account = forms.BooleanField(
        required=False, label=_("Make a login for the e-mail"), help_text=_("The patient can then use the application.")
    )

    class Meta(FileForm.Meta):
        fields = ("consumer_id",)


def person_in(values: dict[str, Any], names: Iterable[str] = PERSON) -> dict[str, Any]:
    """Take the person's fields out of `values`, empty texts as nothing."""
    taken = {name: values.pop(name) for name in names if name in values}
    return {name: None if value == "" else value for name, value in taken.items()}
