"""What visitors tell of themselves, and how mistakes are explained to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.organizations.models import ConsentType, Organization
from apps.scheduling.pages import wording
from apps.scheduling.services.bookings import Agreement, Contact
from apps.scheduling.services.waiting import LONGEST_DAYS
from restartix.kernel import phones

DEFAULT_COUNTRY = "RO"
PRIVACY = ConsentType.PRIVACY_POLICY.value
_ADDRESS = _("Enter an e-mail address in the right form, like name@example.com")
_DAY = _("Enter a day in the right form, like 2026-12-07")


class PhoneField(forms.CharField):
    """A telephone number, kept as `+` and digits; one without country code is read as the clinic's country would."""

    def __init__(self, **kwargs: Any) -> None:
        """Begin in Romania; the form names the clinic's country."""
        super().__init__(max_length=32, **kwargs)
        self.country = DEFAULT_COUNTRY

    def clean(self, value: Any) -> str:
        """Return the number; raises ValidationError with an example of one."""
        text = super().clean(value)
        try:
            return phones.normalised(text)
        except ValueError:
            number = _national(text, self.country)
        if number is None:
            raise forms.ValidationError(_("Enter a phone number, like %(example)s") % {"example": self.example})
        return number

    @property
    def example(self) -> str:
        """A mobile number as people of the clinic's country write theirs."""
        import phonenumbers  # its tables are loaded when a form is first shown

        kind = phonenumbers.PhoneNumberType.MOBILE
        number = phonenumbers.example_number_for_type(self.country, kind)
        return (
            phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
            if number
            else "+40 712 034 567"
        )


def _national(text: str, country: str) -> str | None:
    """Return a number that is written without its country code, None if it is none of that country."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent that the clinic asks for: its sentence, its text elsewhere, and whether a booking needs it."""

    name: str
    type: str
    sentence: str
    policy_url: str
    is_needed: bool
    is_given: bool
    error: str


class DetailsForm(forms.Form):
    """Who books, how the clinic reaches them, and what they agree to."""

    name = forms.CharField(max_length=200, error_messages={"required": _("Enter your name")})
    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Enter your e-mail address: the confirmation is sent to it"),
            "invalid": _ADDRESS,
        },
    )
    phone = PhoneField(error_messages={"required": _("Enter your phone number: the clinic calls if something changes")})
    notes = forms.CharField(max_length=1000, required=False, empty_value=None)

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        """Ask for the consents that the clinic's settings require."""
        super().__init__(*args, **kwargs)
        self.organization = organization
        phone = self.fields["phone"]
        assert isinstance(phone, PhoneField)
        phone.country = str((organization.address or {}).get("country") or DEFAULT_COUNTRY)
        for kind in self._required:
            self.fields[f"agree_{kind}"] = forms.BooleanField(
                required=kind == PRIVACY,
                error_messages={"required": _("Tick the box: without the privacy policy the booking cannot be made")},
            )

    @cached_property
    def _required(self) -> list[str]:
        """The consents of the clinic's settings, the one that a booking needs first."""
        return sorted(self.organization.setting("required_consents"), key=lambda kind: kind != PRIVACY)

    @property
    def consents(self) -> list[Consent]:
        """What the visitor may agree to here."""
        policies = self.organization.setting("policies")
        return [
            Consent(
                name=f"agree_{kind}",
                type=kind,
                sentence=wording.agreement(kind),
                policy_url=(policies.get(kind) or {}).get("url", ""),
                is_needed=kind == PRIVACY,
                is_given=bool(self[f"agree_{kind}"].value()),
                error=self._error(f"agree_{kind}"),
            )
            for kind in self._required
        ]

    def _error(self, name: str) -> str:
        """Return what is wrong with a field, nothing if it is right."""
        return str(next(iter(self.errors.get(name, [])), ""))

    @property
    def problems(self) -> Iterator[tuple[str, str]]:
        """The name of each field that is wrong, in the order of the page, and what was expected of it."""
        return ((name, self._error(name)) for name in self.fields if name in self.errors)

    @property
    def typed(self) -> list[tuple[str, str]]:
        """Names and values of what has been typed so far, to be carried along hidden."""
        values = ((name, self[name].value()) for name in self.fields)
        return [(name, "on" if value is True else str(value)) for name, value in values if value]

    @property
    def contact(self) -> Contact:
        """How the clinic reaches whoever books."""
        data = self.cleaned_data
        return Contact(" ".join(data["name"].split()), _lower_domain(data["email"]), data["phone"])

    @property
    def agreements(self) -> tuple[Agreement, ...]:
        """What was agreed to, in the versions that the clinic shows now."""
        return tuple(Agreement(kind) for kind in self._required if self.cleaned_data.get(f"agree_{kind}"))


class WaitingForm(DetailsForm):
    """Who waits for a free time, on which days, and what they agree to."""

    date_from = forms.DateField(error_messages={"required": _("Choose the first day"), "invalid": _DAY})
    date_to = forms.DateField(error_messages={"required": _("Choose the last day"), "invalid": _DAY})
    email = forms.EmailField(
        max_length=254,
        error_messages={"required": _("Enter your e-mail address: we write there"), "invalid": _ADDRESS},
    )
    notes = None  # type: ignore[assignment]
    field_order = ("date_from", "date_to")

    def __init__(self, organization: Organization, today: date, *args: Any, **kwargs: Any) -> None:
        """Days begin with `today`, the clinic's."""
        super().__init__(organization, *args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        """Refuse days that are over, in the wrong order or too far apart."""
        data = super().clean() or {}
        first, last = data.get("date_from"), data.get("date_to")
        if first and first < self.today:
            self.add_error("date_from", _("Choose a day that is not over yet"))
        elif first and last and last < first:
            self.add_error("date_to", _("The last day comes before the first one"))
        elif first and last and (last - first).days > LONGEST_DAYS:
            self.add_error("date_to", _("Choose at most %(days)d days") % {"days": LONGEST_DAYS})
        return data


class CancelForm(forms.Form):
    """Why somebody cancels, if they want to say."""

    reason = forms.CharField(max_length=500, required=False, empty_value=None)


def _lower_domain(email: str) -> str:
    local, _at, domain = email.rpartition("@")
    return f"{local}@{domain.lower()}"
