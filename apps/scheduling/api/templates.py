"""Appointment templates over HTTP. Source: contract/scheduling.md 3.3."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet

from apps.profiles.models import Specialty
from apps.scheduling.api import bodies, shapes
from apps.scheduling.api.appointments import named
from apps.scheduling.api.filters import TemplateFilters
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.services import paperwork, templates
from apps.scheduling.services.paperwork import ToAttach
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import AlreadyTaken, Conflict
from restartix.kernel.roles import ADMINS, MEMBERS


class AppointmentTemplates(Resource):
    """Appointment templates: what a clinic offers to be booked."""

    serializer_class = shapes.AppointmentTemplateShape
    filterset_class = TemplateFilters
    sortable = ("name", "created_at", "duration_minutes", "price", "id")
    default_sort = "name"
    location = "/v1/appointment-templates/{id}"
    may: ClassVar = {
        "list": MEMBERS,
        "create": ADMINS,
        "retrieve": MEMBERS,
        "update": ADMINS,
        "destroy": ADMINS,
        "attach_forms": ADMINS,
        "detach_form": ADMINS,
        "attach_specialists": ADMINS,
        "detach_specialist": ADMINS,
    }

    def rows(self) -> QuerySet[AppointmentTemplate]:
        """Return what the caller may see."""
        return AppointmentTemplate.objects.visible_to(self.actor)

    def prepare(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Fetch the specialists of all rows by one more query."""
        return queryset.prefetch_related("offers__specialist")

    def _again(self, template: AppointmentTemplate) -> AppointmentTemplate:
        found: AppointmentTemplate = self.prepare(AppointmentTemplate.objects.filter(pk=template.pk)).get()
        return found

    @operation(body=bodies.TemplateBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> Any:
        """Create an appointment template."""
        named({**body}, specialty=Specialty.objects.all())
        return self._again(templates.create(by=self.actor, **body))

    @operation(body=bodies.TemplateBody, errors=(AlreadyTaken,))
    def update(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Change the fields that are sent."""
        named({**body}, specialty=Specialty.objects.all())
        return self._again(templates.update(row, by=self.actor, **body))

    @operation(errors=(Conflict,))
    def destroy(self, row: AppointmentTemplate) -> None:
        """Delete an appointment template; its live holds are released."""
        templates.remove(row, by=self.actor)

    @operation(body=bodies.AttachFormsBody, errors=(Conflict,))
    def attach_forms(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Attach form templates."""
        paperwork.attach_to_template(row, [ToAttach(**form) for form in body["forms"]], by=self.actor)
        return self._again(row)

    @operation()
    def detach_form(self, row: AppointmentTemplate, form_template_id: int) -> None:
        """Detach a form template."""
        paperwork.detach_from_template(row, form_template_id, by=self.actor)

    @operation(body=bodies.AttachSpecialistsBody)
    def attach_specialists(self, row: AppointmentTemplate, body: dict[str, Any]) -> Any:
        """Add specialists, or change their priority."""
        return self._again(templates.attach_specialists(row, body["specialists"], by=self.actor))

    @operation()
    def detach_specialist(self, row: AppointmentTemplate, specialist_id: int) -> None:
        """Take a specialist off the template."""
        templates.detach_specialist(row, specialist_id, by=self.actor)
