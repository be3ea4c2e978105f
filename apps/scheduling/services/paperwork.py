"""Paperwork: the forms that come with an appointment. Whoever keeps forms says so when it starts.

    paperwork.kept_by(provider)         # once, at start
    paperwork.kept().make_missing(appointment, by=by)

As long as nobody keeps forms no form template is known, and nothing is made.
Source: contract/scheduling.md 1.1 (`forms`), 1.3 (`forms`), 3.1 (from-template, onboard, attach-forms), 3.3.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import transaction

from apps.scheduling.errors import NotOnboarded
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.services import moves
from restartix.kernel.errors import Conflict, Invalid, InvalidTransition, NotFound
from restartix.kernel.tenancy import Actor

#: A form as lists show it (contract/forms.md 1.4, FormSummary), ready to be written as JSON.
Summary = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TemplateForm:
    """A form template that every new appointment of an appointment template brings along."""

    form_template_id: int
    name: str
    type: str
    sort_order: int
    required: bool


@dataclass(frozen=True, slots=True)
class ToAttach:
    """A form template to be attached to an appointment template; without a `sort_order` it comes last, by ten."""

    form_template_id: int
    sort_order: int | None = None
    required: bool = True


@dataclass(frozen=True, slots=True)
class Attached:
    """What asking for forms came to: the forms made now, and the ids of those that were there already."""

    created: Sequence[Summary] = ()
    existing: Sequence[int] = ()


class Paperwork(Protocol):
    """What scheduling asks of whoever keeps forms: all of it in the scope of the active organization.

    Writes join the caller's transaction and never wait for the network.
    """

    def known(self, ids: Collection[int]) -> set[int]:
        """Return those of the ids that are published form templates, not archived, of the active organization."""

    def of_templates(self, templates: Collection[AppointmentTemplate]) -> Mapping[int, Sequence[TemplateForm]]:
        """Return what is attached to each of the templates by its id, in order; a constant number of queries."""

    def attach(self, template: AppointmentTemplate, forms: Sequence[ToAttach], *, by: Actor) -> None:
        """Attach form templates, all of them known and none attached yet; existing appointments get nothing."""

    def detach(self, template: AppointmentTemplate, form_template_id: int, *, by: Actor) -> bool:
        """Take a form template off; existing forms stay. Says whether it was attached."""

    def make_missing(
        self, appointment: Appointment, template_ids: Collection[int] | None = None, *, by: Actor
    ) -> Attached:
        """Make the forms of a patient's appointment that are not there yet, pre-filled as far as the gate is open.

        `template_ids` are known form templates; None means those of the appointment's own template. The appointment
        has its patient, and its row is locked or new, so that no other transaction makes the same form.
        """

    def of(self, appointments: Collection[Appointment], *, seen_by: Actor) -> Mapping[int, Sequence[Summary]]:
        """Return each appointment's forms by its id, as far as `seen_by` may see them; a constant number of queries."""


class NoPaperwork:
    """Nobody keeps forms: none is known, none is made."""

    def known(self, ids: Collection[int]) -> set[int]:
        """Know none."""
        return set()

    def of_templates(self, templates: Collection[AppointmentTemplate]) -> Mapping[int, Sequence[TemplateForm]]:
        """Return nothing for any of them."""
        return {}

    def attach(self, template: AppointmentTemplate, forms: Sequence[ToAttach], *, by: Actor) -> None:
        """Attach nothing: no form template is known."""

    def detach(self, template: AppointmentTemplate, form_template_id: int, *, by: Actor) -> bool:
        """Find nothing attached."""
        return False

    def make_missing(
        self, appointment: Appointment, template_ids: Collection[int] | None = None, *, by: Actor
    ) -> Attached:
        """Make nothing."""
        return Attached()

    def of(self, appointments: Collection[Appointment], *, seen_by: Actor) -> Mapping[int, Sequence[Summary]]:
        """Return nothing for any of them."""
        return {}


_NOBODY: Paperwork = NoPaperwork()
_keepers: list[Paperwork] = []


def kept_by(provider: Paperwork) -> None:
    """Let `provider` keep the forms of appointments from now on; said once at start."""
    _keepers[:] = [provider]


def kept() -> Paperwork:
    """Return whoever keeps the forms of appointments."""
    return _keepers[0] if _keepers else _NOBODY


@transaction.atomic
def attach_to(appointment: Appointment, template_ids: Collection[int], *, by: Actor) -> Attached:
    """Make the forms that the appointment does not have yet, of any published form templates. Locks its row.

    Raises Invalid (422) naming every id that is none, NotOnboarded (409) while there is no patient, InvalidTransition
    (409) for an appointment that does not take place.
    """
    _check_known([(f"form_template_ids[{index}]", each) for index, each in enumerate(template_ids)])
    appointment = moves.lock(appointment)
    if appointment.status == AppointmentStatus.BOOKED:
        raise NotOnboarded
    if appointment.status in (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW):
        raise InvalidTransition(current=appointment.status, to=appointment.status, allowed=[])
    return kept().make_missing(appointment, template_ids, by=by)


@transaction.atomic
def attach_to_template(template: AppointmentTemplate, forms: Sequence[ToAttach], *, by: Actor) -> None:
    """Let new appointments of the template bring these forms along, all of them or none. Locks the template.

    Raises Invalid (422) for a form template that is none or listed twice, Conflict (409) with `form_template_ids` for
    those attached already.
    """
    _check_known([(f"forms[{index}].form_template_id", form.form_template_id) for index, form in enumerate(forms)])
    template = AppointmentTemplate.objects.select_for_update(no_key=True).get(pk=template.pk)
    present = {form.form_template_id for form in kept().of_templates([template]).get(template.pk, ())}
    again = [form.form_template_id for form in forms if form.form_template_id in present]
    if again:
        raise Conflict("These forms are attached already.", details={"form_template_ids": again})
    kept().attach(template, forms, by=by)
    template.save(update_fields=["updated_at"])


def _check_known(named: Sequence[tuple[str, int]]) -> None:
    """Raise Invalid (422) unless each id, given with its place in the body, is a form template and stands once."""
    ids = [form_id for _place, form_id in named]
    known = kept().known(set(ids))
    problems = {place: ["not found"] for place, form_id in named if form_id not in known}
    for index, (place, form_id) in enumerate(named):
        if form_id in known and form_id in ids[:index]:
            problems[place] = ["listed twice"]
    if problems:
        raise Invalid(problems)


@transaction.atomic
def detach_from_template(template: AppointmentTemplate, form_template_id: int, *, by: Actor) -> None:
    """Take a form template off; forms that were made stay. Raises NotFound (404) if it is not attached."""
    if not kept().detach(template, form_template_id, by=by):
        raise NotFound
    template.save(update_fields=["updated_at"])
