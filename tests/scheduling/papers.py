"""Somebody who keeps forms, in memory: what scheduling asks for, answered as the forms domain will."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.services import paperwork
from apps.scheduling.services.paperwork import Attached, TemplateForm, ToAttach
from restartix.kernel.tenancy import Actor


class Binder:
    """Keeps form templates by their ids, what is attached to appointment templates, and the forms that were made."""

    def __init__(self, names: Mapping[int, str]) -> None:
        self.names = names
        self.attached: dict[int, list[TemplateForm]] = {}
        self.made: list[dict[str, Any]] = []
        #: How often each question was asked.
        self.asked = {"of": 0, "of_templates": 0}

    def known(self, ids: Collection[int]) -> set[int]:
        return set(ids) & set(self.names)

    def of_templates(self, templates: Collection[AppointmentTemplate]) -> Mapping[int, Sequence[TemplateForm]]:
        self.asked["of_templates"] += 1
        ordered = {
            key: sorted(forms, key=lambda f: (f.sort_order, f.form_template_id)) for key, forms in self.attached.items()
        }
        return {template.pk: ordered.get(template.pk, []) for template in templates}

    def attach(self, template: AppointmentTemplate, forms: Sequence[ToAttach], *, by: Actor) -> None:
        present = self.attached.setdefault(template.pk, [])
        for form in forms:
            last = max((each.sort_order for each in present), default=0)
            order = last + 10 if form.sort_order is None else form.sort_order
            name = self.names[form.form_template_id]
            present.append(TemplateForm(form.form_template_id, name, "questionnaire", order, form.required))

    def detach(self, template: AppointmentTemplate, form_template_id: int, *, by: Actor) -> bool:
        before = self.attached.get(template.pk, [])
        self.attached[template.pk] = [form for form in before if form.form_template_id != form_template_id]
        return len(before) != len(self.attached[template.pk])

    def make_missing(
        self, appointment: Appointment, template_ids: Collection[int] | None = None, *, by: Actor
    ) -> Attached:
        assert appointment.patient_id is not None
        if template_ids is None:
            forms = self.attached.get(appointment.appointment_template_id or 0, [])
            template_ids = [form.form_template_id for form in forms]
        mine = {form["form_template_id"]: form["id"] for form in self._of(appointment)}
        created = [self._make(appointment, each) for each in template_ids if each not in mine]
        return Attached(created, [mine[each] for each in template_ids if each in mine])

    def _make(self, appointment: Appointment, form_template_id: int) -> dict[str, Any]:
        form = {
            "id": len(self.made) + 1,
            "form_template_id": form_template_id,
            "appointment_id": appointment.pk,
            "title": self.names[form_template_id],
            "status": "pending",
        }
        self.made.append(form)
        return form

    def _of(self, appointment: Appointment) -> list[dict[str, Any]]:
        return [form for form in self.made if form["appointment_id"] == appointment.pk]

    def of(self, appointments: Collection[Appointment], *, seen_by: Actor) -> Mapping[int, Sequence[Any]]:
        self.asked["of"] += 1
        return {appointment.pk: self._of(appointment) for appointment in appointments}


@contextmanager
def keeping(names: Mapping[int, str]) -> Iterator[Binder]:
    """Let a binder with these form templates keep the forms for a while."""
    before = paperwork.kept()
    binder = Binder(names)
    paperwork.kept_by(binder)
    try:
        yield binder
    finally:
        paperwork.kept_by(before)
