"""Forms of one appointment over HTTP. Source: contract/scheduling.md 3.1 (attach-forms)."""

from __future__ import annotations

from typing import Any, ClassVar

from apps.scheduling.api.appointments import AppointmentResource
from apps.scheduling.api.bodies import MoreFormsBody
from apps.scheduling.api.shapes import AttachedForms
from apps.scheduling.errors import NotOnboarded
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments, paperwork
from restartix.kernel.api.operations import operation
from restartix.kernel.errors import Forbidden, InvalidTransition
from restartix.kernel.roles import DESK, MEMBERS


class AppointmentForms(AppointmentResource):
    """Forms of an appointment."""

    may: ClassVar = {"attach_forms": MEMBERS}

    def permit(self) -> None:
        """Let the assigned specialist, whatever the role, and the desk attach forms."""
        if not appointments.is_assigned(self.row, self.actor) and self.actor.effective_role not in DESK:
            raise Forbidden

    @operation(body=MoreFormsBody, returns=AttachedForms, errors=(NotOnboarded, InvalidTransition))
    def attach_forms(self, row: Appointment, body: dict[str, Any]) -> Any:
        """Make the forms that the appointment does not have yet."""
        return paperwork.attach_to(row, body["form_template_ids"], by=self.actor)
