"""Forms of one appointment: a new one for a patient or for a newcomer, and what may change of one that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from apps.organizations.models import ConsentType
from apps.profiles.models import ConsentRecord, Patient, Specialist, Specialty
from apps.profiles.selectors import search
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.models.templates import Mode
from restartix.kernel import phones
from restartix.kernel.admin.forms import ServiceForm, said
from restartix.kernel.admin.names import Name
from restartix.kernel.admin.palette import folded
from restartix.kernel.admin.widgets import MomentInput

#: So many patients are offered at once.
MOST_CANDIDATES = 8
#: What is chosen instead of a patient.
NEWCOMER = "new"
WALL = "%Y-%m-%dT%H:%M"


class ExactMoment(forms.DateTimeField):
    """A minute on the clinic's clock; `exactly` is the instant that is meant by its own wall time.

    When the clock is put back an hour of it occurs twice: a link may then say which of the two it leads to.
    """

    widget = MomentInput
    exactly: datetime | None = None

    def to_python(self, value: Any) -> datetime | None:
        """Read the wall time. Raises ValidationError for one that the clock skips, or shows twice."""
        if self.exactly is not None and value == f"{timezone.localtime(self.exactly):{WALL}}":
            return self.exactly
        return super().to_python(value)


def _modes() -> list[tuple[str, Any]]:
    return [("", _("As the service says")), *((value, Name(str(label), "name")) for value, label in Mode.choices)]


class NewVisitForm(ServiceForm):
    """A new appointment. Who it is for is looked up from what was typed, and never guessed."""

    field_names: ClassVar = {
        "patient_id": "who",
        "specialist_id": "specialist",
        "ended_at": "minutes",
        "person.name": "new_name",
        "person.phone": "new_phone",
        "person.email": "new_email",
    }
    template = forms.ModelChoiceField(
        AppointmentTemplate.objects.none(), label=_("Service"), required=False, empty_label=_("none")
    )
    specialist = forms.ModelChoiceField(Specialist.objects.none(), label=_("Specialist"))
    started_at = ExactMoment(label=_("Start"))
    exactly = forms.CharField(required=False, widget=forms.HiddenInput)
    minutes = forms.IntegerField(
        label=_("Minutes"), min_value=1, max_value=1440, required=False, help_text=_("Empty: as long as the service.")
    )
    who = forms.CharField(label=_("Patient"), max_length=100, required=False)
    #: The patient's number, `new`, or nothing yet; `asked` is the text that it answers.
    patient_choice = forms.CharField(required=False)
    asked = forms.CharField(required=False, widget=forms.HiddenInput)
    new_name = forms.CharField(label=_("Name"), max_length=200, required=False)
    new_phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput({"type": "tel"})
    )
    new_email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    agreed = forms.BooleanField(required=False)
    shares = forms.BooleanField(label=_("Has agreed on paper to share the profile with the clinic"), required=False)
    title = forms.CharField(label=_("Title"), max_length=200, required=False, help_text=_("Empty: the service's name."))
    mode = forms.ChoiceField(label=_("Mode"), choices=_modes, required=False)
    location = forms.CharField(label=_("Location"), max_length=200, required=False)
    notes = forms.CharField(
        label=_("Notes"), max_length=5000, required=False, widget=forms.Textarea({"rows": 3}),
        help_text=_("For the clinic only."),
    )  # fmt: skip
    #: Who may be chosen, and what the clinic requires; set by the page on the class it makes.
    own_user_id: ClassVar[int | None] = None
    required_consents: ClassVar[Sequence[str]] = ()

    class Meta:
        model = Appointment
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's services and specialists; a specialist makes visits of their own."""
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        people = Specialist.objects.alive().order_by("name", "pk")
        if self.own_user_id is not None:
            people = people.filter(user_id=self.own_user_id)
        fields["specialist"].queryset = people
        fields["template"].queryset = AppointmentTemplate.objects.alive().filter(is_active=True).order_by("name", "pk")
        kinds = dict(ConsentRecord._meta.get_field("type").flatchoices)
        fields["agreed"].label = _("Has agreed on paper to: %(consents)s") % {
            "consents": ", ".join(str(kinds[kind]) for kind in self.required_consents)
        }
        if not self.required_consents:
            del fields["agreed"]
        fields["started_at"].exactly = _instant(self["exactly"].value())
        self.candidates: list[Candidate] = []
        self.offers_newcomer = False

    def clean(self) -> dict[str, Any]:
        """Find out who it is for; several who could be meant are offered to choose from."""
        said_of = self.cleaned_data
        choice, text = said_of.get("patient_choice", ""), said_of.get("who", "").strip()
        name, asked = said_of.get("new_name", "").strip(), said_of.get("asked", "").strip()
        said_of["patient"] = self._chosen(choice, text=text, name=name, asked=asked)
        if said_of["patient"] is None and not (name and (choice == NEWCOMER or not self._namesakes(name))):
            self._ask(text, name)
        elif said_of["patient"] is None:
            self._check_newcomer()
        if not (said_of.get("template") or said_of.get("minutes") or "minutes" in self.errors):
            self.add_error("minutes", _("Without a service say how long the visit lasts."))
        return super().clean()

    def _post_clean(self) -> None:
        """Validate no row: the service makes it, of what the form says."""

    def _chosen(self, choice: str, *, text: str, name: str, asked: str) -> Patient | None:
        """Return the patient who was picked, unless the text was changed since."""
        if not (choice.isascii() and choice.isdigit() and len(choice) < 19):
            return None
        patient = Patient.objects.alive().select_related("person").filter(pk=int(choice)).first()
        if patient is None or folded(text) in {"", folded(patient.person.name)}:
            return patient
        return patient if asked == (text or name) else None

    def _namesakes(self, name: str) -> list[Patient]:
        """Return the patients who are called so, who may be the same human."""
        wanted = folded(name)
        return [each for each in search.best(name, limit=MOST_CANDIDATES) if folded(each.person.name) == wanted]

    def _ask(self, text: str, name: str) -> None:
        """Offer those who could be meant. Adds the error that keeps the form from being saved."""
        found = self._namesakes(name) if name else search.best(text, limit=MOST_CANDIDATES)
        self.candidates, self.offers_newcomer = candidates(found), bool(name)
        self.data: Any = self.data.copy()
        self.data["asked"] = text or name
        if name and found:
            self.add_error("who", _("Somebody with this name is a patient here already. Is it the same human?"))
        elif found:
            self.add_error("who", _("Choose which patient is meant."))
        elif text:
            self.data["new_name"] = text
            self.add_error("who", _("Nobody is found by that. Write another part of the name, or add a new patient."))
        else:
            self.add_error("who", _("Choose a patient, or add a new one."))

    def _check_newcomer(self) -> None:
        if self.required_consents and not self.cleaned_data.get("agreed"):
            self.add_error("agreed", _("A new patient has to agree to these before the first visit."))

    def agreements(self) -> list[str]:
        """Return the consents that a newcomer has signed."""
        signed = list(self.required_consents) if self.cleaned_data.get("agreed") else []
        if self.cleaned_data.get("shares") and ConsentType.PROFILE_SHARING not in signed:
            signed.append(ConsentType.PROFILE_SHARING)
        return [str(kind) for kind in signed]


def _instant(text: str | None) -> datetime | None:
    """Return the instant that an address names with its offset, None for anything else."""
    try:
        found = parse_datetime(text or "")
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One patient to choose from: number, name, and what tells namesakes apart as far as the gate lets it."""

    id: int
    name: str
    detail: str


def candidates(found: Sequence[Patient]) -> list[Candidate]:
    """Return the patients as they are offered; one statement more for all of them."""
    from apps.profiles.admin.finding import detail

    shared = search.sharing(found)
    return [Candidate(each.pk, each.person.name, detail(each, is_shared=each.pk in shared)) for each in found]


CONTACT = ("contact_name", "contact_phone", "contact_email")
DETAILS = ("title", "specialty", "mode", "location", "notes")


class VisitForm(ServiceForm):
    """What may change of an appointment; times, people and status have moves of their own."""

    #: Columns that Django leaves out of forms, because they are kept encrypted.
    SEALED: ClassVar = {"contact_phone"}
    field_names: ClassVar = {f"contact.{name.removeprefix('contact_')}": name for name in CONTACT}
    title = forms.CharField(max_length=200)
    specialty = forms.ModelChoiceField(Specialty.objects.none(), required=False)
    location = forms.CharField(max_length=200, required=False)
    notes = forms.CharField(
        max_length=5000, required=False, widget=forms.Textarea({"rows": 4}), help_text=_("For the clinic only.")
    )
    contact_name = forms.CharField(max_length=200)
    contact_phone = forms.CharField(max_length=30, widget=forms.TextInput({"type": "tel"}))
    contact_email = forms.EmailField(max_length=254)

    class Meta:
        model = Appointment
        fields: ClassVar[list[str]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's specialties."""
        super().__init__(*args, **kwargs)
        for name in self.SEALED & self.fields.keys():
            self.initial[name] = getattr(self.instance, name)
        if "specialty" in self.fields:
            self.fields["specialty"].queryset = Specialty.objects.order_by("title")  # type: ignore[attr-defined]

    def clean_contact_phone(self) -> str:
        """Write the number as it is stored. Raises ValidationError for what is none."""
        try:
            return phones.normalised(self.cleaned_data["contact_phone"])
        except ValueError as problem:
            raise forms.ValidationError(said(str(problem))) from problem
