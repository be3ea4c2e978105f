"""The form of taking somebody in: who it is, what is to be known of a new patient, what they agreed to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from apps.organizations.models import ConsentType
from apps.profiles.models import ConsentRecord
from apps.scheduling.errors import PatientExists
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.likeness import Likeness
from apps.scheduling.services.onboarding import Admission
from restartix.kernel import phones
from restartix.kernel.admin.forms import RefusableForm, said
from restartix.kernel.errors import Refusal

#: What is chosen instead of a patient.
NEWCOMER = "new"
CONSENT = "consent_"
METHODS = (("paper", _("On paper")), ("verbal", _("By word of mouth")))


class TakeInForm(RefusableForm):
    """Whom the booking is for. Nobody is chosen beforehand where somebody may be the same human."""

    field_names: ClassVar = {
        "patient_id": "who",
        "contact.name": "name",
        "contact.email": "email",
        "contact.phone": "phone",
        "email": "email",
    }
    who = forms.CharField(required=False)
    name = forms.CharField(label=_("Name"), max_length=200)
    email = forms.EmailField(label=_("E-mail"), max_length=254, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=30, required=False, widget=forms.TextInput({"type": "tel"}))
    create_account = forms.BooleanField(
        label=_("Make a login for the e-mail"),
        required=False,
        initial=True,
        help_text=_("The patient can then use the application."),
    )
    method = forms.ChoiceField(label=_("How they agreed"), choices=METHODS, required=False)

    def __init__(
        self, data: Any, *, booked: Appointment, likenesses: Sequence[Likeness], required: Collection[str]
    ) -> None:
        """Offer the patients who may be meant, and ask for the consents that the booking did not bring."""
        contact = {"name": booked.contact_name, "email": booked.contact_email, "phone": booked.contact_phone}
        super().__init__(data, initial=contact)
        self.booked, self.likenesses = booked, likenesses
        self._kinds = dict(ConsentRecord._meta.get_field("type").flatchoices)
        #: What was agreed to with the booking: its name and when.
        self.agreed = [(self._kinds[each["type"]], parse_datetime(each["granted_at"])) for each in _given(booked)]
        at_booking = {each["type"] for each in _given(booked)}
        #: Each patient who may be meant, and what the clinic would still have to be told of them.
        self.people = [
            (each, [self._kinds[kind] for kind in required if kind not in at_booking | set(each.agreed)])
            for each in likenesses
        ]
        asked_again = {name.removeprefix(CONSENT) for name in data or {} if name.startswith(CONSENT)}
        for kind in ConsentType.values:
            is_required = kind in required and kind not in at_booking
            if is_required or kind in asked_again or (kind == ConsentType.PROFILE_SHARING and kind not in at_booking):
                self._ask_for(kind, is_required=is_required)
        if not likenesses and not self.is_bound and self.consents:
            self.consents[0].field.widget.attrs["autofocus"] = True

    def _ask_for(self, kind: str, *, is_required: bool) -> None:
        field = forms.BooleanField(label=self._kinds[kind], required=False)
        field.is_wanted = is_required  # type: ignore[attr-defined]
        if kind == ConsentType.PROFILE_SHARING:
            field.help_text = _("Without it the clinic keeps the data but sees the name only.")
        self.fields[f"{CONSENT}{kind}"] = field

    @property
    def consents(self) -> list[Any]:
        """The boxes to tick, those that the clinic requires first."""
        boxes = [self[name] for name in self.fields if name.startswith(CONSENT)]
        return sorted(boxes, key=lambda box: not getattr(box.field, "is_wanted", False))

    def clean_phone(self) -> str:
        """Return the number as it is stored."""
        text: str = self.cleaned_data["phone"]
        try:
            return phones.normalised(text) if text else ""
        except ValueError as error:
            raise forms.ValidationError(said(str(error))) from error

    def clean(self) -> dict[str, Any]:
        """Find out who it is; with nobody like the contact it is somebody new."""
        chosen = self.cleaned_data.get("who") or ("" if self.likenesses else NEWCOMER)
        people = {str(each.patient.pk): each.patient for each in self.likenesses}
        if chosen not in {NEWCOMER, *people}:
            self.add_error("who", _("Say whether it is one of these, or somebody new."))
        self.cleaned_data["patient"] = people.get(chosen)
        return self.cleaned_data

    def admission(self) -> Admission:
        """Return what the service takes; of the contact only what differs from the booking."""
        values = self.cleaned_data
        known = {name: values[name] for name in ("name", "email", "phone") if values[name]}
        ticked = [box.name.removeprefix(CONSENT) for box in self.consents if values.get(box.name)]
        method = values.get("method") or METHODS[0][0]
        return Admission(
            patient=values["patient"],
            contact={name: text for name, text in known.items() if text != self.initial[name]},
            create_account=values["create_account"],
            consents=[{"type": kind, "method": method} for kind in ticked],
        )

    def ask_for(self, kinds: Iterable[str]) -> None:
        """Say which consents are missing, each at its box."""
        for kind in kinds:
            if f"{CONSENT}{kind}" not in self.fields:
                self._ask_for(kind, is_required=True)
            self.add_error(f"{CONSENT}{kind}", _("The clinic requires this consent."))

    def show_refusal(self, refusal: Refusal) -> None:
        """Add the refusal where it belongs: somebody who is known already where it is asked who it is."""
        if isinstance(refusal, PatientExists):
            self.add_error("who", said(refusal.message))
        else:
            super().show_refusal(refusal)


def _given(booked: Appointment) -> list[dict[str, str]]:
    return [each for each in booked.booking_consents if each["type"] in ConsentType.values]
