"""Forms of the back office: they parse and ask; services and the database judge."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from restartix.kernel.errors import AlreadyTaken, Invalid, Refusal

#: What services say of single values, for the catalogues.
PROBLEMS = (
    gettext_noop("already taken"),
    gettext_noop("not found"),
    gettext_noop("required"),
    gettext_noop("listed twice"),
    gettext_noop("earlier than 24 hours ago"),
    gettext_noop("has to be after started_at"),
    gettext_noop("at most 24 hours after started_at"),
    gettext_noop("must be later than start"),
    gettext_noop("at most 366 days after start"),
    gettext_noop("whole minutes only"),
    gettext_noop("this name is reserved"),
    gettext_noop("at most 60 characters"),
    gettext_noop("these are too many filters to be kept"),
    gettext_noop("3 to 63 lower-case letters, digits and single hyphens are expected, with no hyphen at either end"),
    gettext_noop("only digits, spaces and . - / ( ) may stand in a phone number, with + in front"),
    gettext_noop("start with + and the country code, like +40 721 000 111"),
)


def said(message: str) -> str:
    """Return a refusal's message in the reader's language, where the catalogue has it."""
    return gettext(message) if message else message


class RefusableForm(forms.Form):
    """A form that shows what a service refused, at the field where it belongs."""

    #: The service's name of a field → the form's, where they differ.
    field_names: ClassVar[dict[str, str]] = {}

    def show_refusal(self, refusal: Refusal) -> None:
        """Add the refusal to the form's errors: by field where it names one, else above the form."""
        for path, messages in paths_of(refusal).items():
            name = self._field_named(path)
            for message in messages:
                self.add_error(name, said(message) if name else _with_path(path, message))

    def _field_named(self, path: str) -> str | None:
        root = re.split(r"[.\[]", path, maxsplit=1)[0]
        candidates = (self.field_names.get(path), self.field_names.get(root), root, root.removesuffix("_id"))
        return next((name for name in candidates if name in self.fields), None)


def paths_of(refusal: Refusal) -> dict[str, list[str]]:
    """Return a refusal's messages by the path of the value that is wrong; an empty path is the whole."""
    if isinstance(refusal, Invalid):
        return refusal.fields
    if isinstance(refusal, AlreadyTaken) and refusal.details.get("field"):
        return {str(refusal.details["field"]): [str(refusal.details["error"])]}
    return {"": [refusal.message]}


def _with_path(path: str, message: str) -> str:
    return f"{path}: {said(message)}" if path else said(message)


class RowForm(forms.ModelForm):
    """A model's form whose own fields are called as the model calls its columns."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name what the form declares itself."""
        super().__init__(*args, **kwargs)
        columns = {field.name: field for field in self.instance._meta.get_fields()}
        for name, field in self.fields.items():
            if field.label is None and name in columns:
                field.label = capfirst(str(columns[name].verbose_name))


class ServiceForm(RefusableForm, RowForm):
    """A model's form that leaves judgement to services, and notices when the row changed since the page was read."""

    version = forms.CharField(required=False, widget=forms.HiddenInput)
    #: What the service refused when this very form was posted; set by `ServiceAdmin` on the class it makes.
    refusal: ClassVar[Refusal | None] = None
    #: Who changed the row last and when, for the message; set by `ServiceAdmin`.
    changed_by: ClassVar[str] = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Carry the row's present version in the page."""
        super().__init__(*args, **kwargs)
        self.initial["version"] = version_of(self.instance)

    def clean(self) -> dict[str, Any]:
        """Refuse a stale page, and show a refusal of the first attempt; uniqueness is the database's to judge."""
        sent = self.cleaned_data.pop("version", "")
        self._empty_is_null()
        present = version_of(self.instance)
        if self.refusal is not None:
            self.show_refusal(self.refusal)
        elif sent and present and sent != present:
            self.add_error(NON_FIELD_ERRORS, self._stale())
        return self.cleaned_data

    def _empty_is_null(self) -> None:
        """Store nothing for an empty text, where the column can hold nothing."""
        columns = {field.name: field for field in self.instance._meta.concrete_fields}
        for name, value in self.cleaned_data.items():
            if value == "" and name in columns and columns[name].null:
                self.cleaned_data[name] = None

    def _stale(self) -> str:
        text = _("Somebody changed this while you had it open. Nothing was saved: look at the present values below.")
        data: Any = self.data
        self.data = data = data.copy()  # the next attempt is made on the version that is shown now
        data[self.add_prefix("version")] = version_of(self.instance)
        return f"{text} {self.changed_by}".strip()

    @property
    def changes(self) -> dict[str, Any]:
        """The values that differ from what the page showed."""
        return {name: self.cleaned_data[name] for name in self.changed_data if name in self.cleaned_data}


def version_of(row: Any) -> str:
    """Return what tells one state of a row from the next: when it was last changed."""
    moment = getattr(row, "updated_at", None)
    return moment.isoformat() if row.pk and moment else ""


class Labelled:
    """Rows of a formset whose every control says in words what it is: "Priority (row 2)"."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name each control by its field and row."""
        super().add_fields(form, index)  # type: ignore[misc]
        number = "__number__" if index is None else index + 1
        for field in form.fields.values():
            if not field.widget.is_hidden:
                label = _("%(field)s (row %(number)s)") % {"field": field.label, "number": number}
                field.widget.attrs["aria-label"] = label


class LabelledFormSet(Labelled, forms.BaseInlineFormSet):
    """Inline rows below another row."""


class LabelledRows(Labelled, forms.BaseFormSet):
    """Rows of a document that is saved as a whole."""

    def kept(self) -> list[Any]:
        """Return the valid forms that are neither removed nor left empty."""
        return [form for form in self.forms if form not in self.deleted_forms and form.cleaned_data]
