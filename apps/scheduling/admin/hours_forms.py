"""The document of a specialist's hours as a form: zone, weekly blocks, exceptions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist
from apps.scheduling.models import AppointmentTemplate
from restartix.kernel import dates
from restartix.kernel.admin.forms import LabelledRows, RefusableForm, paths_of, said
from restartix.kernel.admin.widgets import MomentInput, TimeInput
from restartix.kernel.errors import Invalid, Refusal
from restartix.templatetags.days import language

#: How the service names a value of a row: `weekly[3].start`.
ROW = re.compile(r"(?P<part>weekly|overrides)\[(?P<index>\d+)\](?:\.(?P<field>\w+))?")
OVERLAPS = _("Overlaps another block.")


def zones() -> list[tuple[str, Any]]:
    """Return the IANA zones, European ones first; empty for somebody who takes no bookings."""
    names = sorted(available_timezones(), key=lambda name: (not name.startswith("Europe/"), name))
    return [("", _("none: not bookable")), *((name, name) for name in names)]


def weekdays() -> list[tuple[int, str]]:
    """Return the days of the week, Monday 0."""
    return [(day, dates.sentence(name)) for day, name in enumerate(dates.weekday_names(language()))]


class BasicsForm(RefusableForm):
    """Zone and activity; `shown_in` is the zone in which the exceptions of this page are written."""

    timezone = forms.ChoiceField(label=_("Time zone"), choices=zones, required=False)
    active = forms.BooleanField(label=_("Takes bookings"), required=False)
    shown_in = forms.CharField(widget=forms.HiddenInput)
    version = forms.CharField(widget=forms.HiddenInput, required=False)


class BlockForm(forms.Form):
    """One block of the week; an end at or before the start is on the next day."""

    day = forms.TypedChoiceField(label=_("Day"), coerce=int, choices=weekdays)
    start = forms.TimeField(label=_("From"), widget=TimeInput)
    end = forms.TimeField(label=_("Until"), widget=TimeInput)

    def document(self) -> dict[str, Any]:
        """Return the block as the service takes it."""
        return {"day": self.cleaned_data["day"], "start": _wall(self, "start"), "end": _wall(self, "end")}


class ExceptionForm(forms.Form):
    """One exception: a stretch in which the specialist works although, or is away although."""

    id = forms.IntegerField(required=False, widget=forms.HiddenInput)
    availability = forms.TypedChoiceField(
        label=_("Kind"),
        coerce=lambda value: value == "True",
        choices=[("False", _("Away")), ("True", _("Works"))],
    )
    start = forms.DateTimeField(label=_("From"), widget=MomentInput)
    end = forms.DateTimeField(label=_("Until"), widget=MomentInput)
    appointment_template_id = forms.TypedChoiceField(label=_("Only for"), coerce=int, empty_value=None, required=False)
    note = forms.CharField(label=_("Note"), max_length=200, required=False)

    def __init__(self, *args: Any, templates: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        """Offer the clinic's templates."""
        super().__init__(*args, **kwargs)
        self.fields["appointment_template_id"].choices = [("", _("everything")), *templates]  # type: ignore[attr-defined]

    def document(self) -> dict[str, Any]:
        """Return the exception as the service takes it, its instants in UTC."""
        return {
            "id": self.cleaned_data["id"],
            "start": self.cleaned_data["start"].astimezone(UTC),
            "end": self.cleaned_data["end"].astimezone(UTC),
            "availability": self.cleaned_data["availability"],
            "appointment_template_id": self.cleaned_data["appointment_template_id"],
            "note": self.cleaned_data["note"] or None,
        }


BlockRows = forms.formset_factory(BlockForm, formset=LabelledRows, extra=0, can_delete=True, max_num=50)
ExceptionRows = forms.formset_factory(ExceptionForm, formset=LabelledRows, extra=0, can_delete=True, max_num=1000)


class HoursForm:
    """The whole document: the three forms of one page, filled from the row or from what was posted."""

    def __init__(self, person: Specialist, clinic_zone: str, data: Mapping[str, Any] | None = None) -> None:
        """Show `person`'s hours; with `data`, read what was posted, exceptions in the zone the page was written in."""
        shown_in = person.scheduling_timezone or clinic_zone
        self.zone = ZoneInfo(_known(data.get("shown_in", ""), shown_in) if data is not None else shown_in)
        templates = [(row.pk, row.name) for row in AppointmentTemplate.objects.alive().order_by("name")]
        self.version = person.availability_updated_at.isoformat()
        basics = {
            "timezone": person.scheduling_timezone or "",
            "active": person.scheduling_active,
            "shown_in": shown_in,
            "version": self.version,
        }
        with timezone.override(self.zone):
            self.basics = BasicsForm(data, initial=basics)
            self.weekly: Any = BlockRows(data, initial=person.weekly, prefix="weekly")
            self.exceptions: Any = ExceptionRows(
                data,
                initial=[_shown(each) for each in person.overrides],
                prefix="overrides",
                form_kwargs={"templates": templates},
            )

    def is_valid(self) -> bool:
        """Tell whether everything could be read; sums and overlaps are the service's to judge."""
        with timezone.override(self.zone):
            return all([self.basics.is_valid(), self.weekly.is_valid(), self.exceptions.is_valid()])

    @property
    def is_stale(self) -> bool:
        """Whether the hours changed since the page was read."""
        sent = self.basics.cleaned_data.get("version")
        return bool(sent) and sent != self.version

    def document(self) -> dict[str, Any]:
        """Return the arguments of `availability.replace`."""
        return {
            "timezone": self.basics.cleaned_data["timezone"] or None,
            "active": self.basics.cleaned_data["active"],
            "weekly": [form.document() for form in self.weekly.kept()],
            "overrides": [form.document() for form in self.exceptions.kept()],
        }

    def show_refusal(self, refusal: Refusal) -> None:
        """Show what the service refused: at its row where it names one, else above the form."""
        rows = {"weekly": self.weekly.kept(), "overrides": self.exceptions.kept()}
        for path, messages in paths_of(refusal).items():
            named = ROW.fullmatch(path)
            if named is None:
                self.basics.show_refusal(Invalid({path: messages}) if path else refusal)
                continue
            form = rows[named["part"]][int(named["index"])]
            field = named["field"] if named["field"] in form.fields else None
            for message in messages:
                form.add_error(field, OVERLAPS if message.startswith("overlaps") else said(message))


def _known(zone: str, otherwise: str) -> str:
    return zone if zone in available_timezones() else otherwise


def _shown(override: Mapping[str, Any]) -> dict[str, Any]:
    moments = {key: datetime.fromisoformat(override[key]) for key in ("start", "end")}
    return {**override, **moments, "availability": str(override["availability"])}


def _wall(form: forms.Form, name: str) -> str:
    return f"{form.cleaned_data[name]:%H:%M}"
