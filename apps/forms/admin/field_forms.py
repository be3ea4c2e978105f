"""Forms of custom fields: the definition with its options and rules, and the values of one profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.forms.domain.field_types import CHOSEN, FieldType
from apps.forms.selectors.values import Answer
from restartix.kernel.admin.forms import RefusableForm, ServiceForm
from restartix.kernel.admin.widgets import DateInput
from restartix.kernel.slugs import slugify

#: The rules of a field as the form asks for them, by their names in `validation`.
RULES = ("min", "max", "decimals", "unit", "min_length", "max_length", "pattern", "min_items", "max_items")
_WHOLE = ("decimals", "min_length", "max_length", "min_items", "max_items")


class OptionLines(forms.CharField):
    """Options, one a line: `left = Left side`; without a value one is made from the label."""

    widget = forms.Textarea({"rows": 6})

    def prepare_value(self, value: Any) -> Any:
        """Write one option a line."""
        if not isinstance(value, list):
            return value
        return "\n".join(f"{option['value']} = {option['label']}" for option in value)

    def to_python(self, value: Any) -> Any:
        """Read the lines that are not empty."""
        return [_option(line) for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as options."""
        return self.to_python(data) != (initial or [])


def _option(line: str) -> dict[str, str]:
    value, equals, label = (part.strip() for part in line.partition("="))
    return {"value": value, "label": label} if equals else {"value": slugify(value, fallback="option"), "label": value}


def _number_or_text(text: str) -> Any:
    """Return a number where the text is one in either decimal notation, else the text: a date, or `today`."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return text


class CustomFieldForm(ServiceForm):
    """A custom field; which rules it takes depends on its type, and the service says what does not fit."""

    field_names = {f"validation.{name}": f"rule_{name}" for name in RULES}

    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,62}$",
        help_text=_("Small letters, digits and _. Programs know the field by it."),
    )
    options = OptionLines(
        required=False,
        label=_("Options"),
        help_text=_("For select, radio and checkbox: one a line, like “left = Left side”. Their order is kept."),
    )
    sort_order = forms.IntegerField(
        min_value=0, max_value=10_000, required=False, help_text=_("Lower comes first. Empty: after the others.")
    )
    rule_min = forms.CharField(
        required=False, label=_("Smallest"), help_text=_("A number; for a date a day like 2027-01-31, or today.")
    )
    rule_max = forms.CharField(required=False, label=_("Largest"))
    rule_decimals = forms.IntegerField(required=False, label=_("Decimals"), help_text=_("0: whole numbers only."))
    rule_unit = forms.CharField(required=False, max_length=20, label=_("Unit"))
    rule_min_length = forms.IntegerField(required=False, label=_("Fewest characters"))
    rule_max_length = forms.IntegerField(required=False, label=_("Most characters"))
    rule_pattern = forms.CharField(
        required=False, max_length=200, label=_("Pattern"), help_text=_("RE2 syntax; matches the whole text.")
    )
    rule_min_items = forms.IntegerField(required=False, label=_("Fewest choices"))
    rule_max_items = forms.IntegerField(required=False, label=_("Most choices"))

    class Meta:
        help_texts = {
            "is_private": _("Patients never see it; of specialists admins alone do."),
            "description": _("What the field is for; shown to those who work with fields."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show the rules that the field has."""
        super().__init__(*args, **kwargs)
        rules = self.instance.validation or {}
        self.initial.update({f"rule_{name}": rules.get(name) for name in RULES})

    def validation(self) -> dict[str, Any]:
        """Return the rules that were filled in."""
        given = {name: self.cleaned_data.get(f"rule_{name}") for name in RULES}
        return {
            name: _number_or_text(value) if name in {"min", "max"} else value
            for name, value in given.items()
            if value not in (None, "")
        }

    def without_rules(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return `values` with the rules, if any is among them, as the service takes them."""
        plain = {name: value for name, value in values.items() if not name.startswith("rule_")}
        return plain if len(plain) == len(values) else {**plain, "validation": self.validation()}


class ProfileForm(RefusableForm):
    """The values of one profile, a control for each field; only what was changed is written."""

    def __init__(self, answers: Iterable[Answer], *args: Any, **kwargs: Any) -> None:
        """Ask for every field in its order."""
        super().__init__(*args, **kwargs)
        self.keys: dict[str, str] = {}
        for answer in answers:
            name = f"value_{answer.key}"
            self.keys[name] = answer.key
            self.fields[name] = _control(answer)
            self.initial[name] = answer.value

    def _field_named(self, path: str) -> str | None:
        name = f"value_{path.removeprefix('values.')}"
        return name if name in self.fields else None

    def changes(self) -> dict[str, Any]:
        """Return the changed values by the keys of their fields; an empty one clears."""
        return {self.keys[name]: _sent(self.cleaned_data[name]) for name in self.changed_data}


def _sent(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


#: How values are typed and sent; options are chosen by a control of their own.
_CONTROLS: Mapping[FieldType, Callable[..., forms.Field]] = {
    FieldType.TEXT: forms.CharField,
    FieldType.TEXTAREA: partial(forms.CharField, widget=forms.Textarea({"rows": 4})),
    FieldType.EMAIL: partial(forms.CharField, widget=forms.EmailInput),
    FieldType.PHONE: partial(forms.CharField, widget=forms.TextInput({"type": "tel"})),
    FieldType.NUMBER: forms.FloatField,
    FieldType.DATE: partial(forms.DateField, widget=DateInput),
    FieldType.SELECT: forms.ChoiceField,
    FieldType.RADIO: forms.ChoiceField,
    FieldType.CHECKBOX: partial(forms.MultipleChoiceField, widget=forms.CheckboxSelectMultiple),
}
_ONE_OF = frozenset({FieldType.SELECT, FieldType.RADIO})


def _control(answer: Answer) -> forms.Field:
    kind = FieldType(answer.field_type)
    shared: dict[str, Any] = {"label": answer.label, "required": False}
    if answer.is_private:
        shared["help_text"] = _("Staff only.")
    if kind in CHOSEN:
        choices = [(option["value"], option["label"]) for option in answer.options]
        shared["choices"] = [("", "–"), *choices] if kind in _ONE_OF else choices
    return _CONTROLS[kind](**shared)
