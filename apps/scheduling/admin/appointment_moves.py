"""What may be done with an appointment from its page, from the list and from the board."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.video_moves import VIDEO_MOVES
from apps.scheduling.lifecycles import MOVABLE, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.models.appointments import ReasonCode
from apps.scheduling.services import appointments, arrivals
from restartix.kernel import clock
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.widgets import MomentInput
from restartix.kernel.roles import STAFF
from restartix.kernel.tenancy import Actor

S = AppointmentStatus


class CancelForm(forms.Form):
    """Why an appointment is cancelled."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.Textarea({"rows": 3}), help_text=_("Kept with the appointment.")
    )
    reason_code = forms.ChoiceField(label=_("Kind of reason"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the reasons that staff may give."""
        super().__init__(*args, **kwargs)
        choices: Any = Appointment._meta.get_field("cancel_reason_code").flatchoices
        offered = [choice for choice in choices if choice[0] != ReasonCode.DELETED]
        self.fields["reason_code"].choices = [("", _("As usual for who cancels")), *offered]  # type: ignore[attr-defined]


class RescheduleForm(forms.Form):
    """Where an appointment moves to."""

    started_at = forms.DateTimeField(label=_("New start"), widget=MomentInput)
    specialist = forms.ModelChoiceField(
        queryset=Specialist.objects.none(), label=_("Specialist"), required=False, empty_label=_("The same")
    )
    reason = forms.CharField(label=_("Reason"), max_length=500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the clinic's specialists."""
        super().__init__(*args, **kwargs)
        self.fields["specialist"].queryset = Specialist.objects.alive().order_by("name")  # type: ignore[attr-defined]


def _to(status: AppointmentStatus) -> Any:
    """Return the service that moves an appointment to `status`."""

    def move(row: Appointment, *, by: Actor) -> Appointment:
        return appointments.change_status(row, to=status, by=by)

    return move


def _from(*statuses: AppointmentStatus) -> Any:
    """Return the test of whether an appointment stands in one of `statuses`."""
    return lambda row: row.status in statuses


def _missable(row: Appointment) -> bool:
    return row.status == S.INPROGRESS or (row.status in (S.UPCOMING, S.CONFIRMED) and row.started_at <= clock.now())


def _may_arrive(row: Appointment) -> bool:
    return row.arrived_at is None and arrivals.is_expected(row, now=clock.now())


def _has_arrived(row: Appointment) -> bool:
    return row.arrived_at is not None and row.status in MOVABLE


MOVES = (
    *VIDEO_MOVES,
    Move(name="arrived", label=_("Arrived"), does=arrivals.arrive, may=STAFF, applies=_may_arrive),
    Move(name="not-arrived", label=_("Not here after all"), does=arrivals.take_back, may=STAFF, applies=_has_arrived),
    Move(name="confirm", label=_("Confirm"), does=_to(S.CONFIRMED), may=STAFF, applies=_from(S.UPCOMING)),
    Move(name="start", label=_("Start"), does=_to(S.INPROGRESS), may=STAFF, applies=_from(S.UPCOMING, S.CONFIRMED)),
    Move(name="finish", label=_("Finish"), does=_to(S.DONE), may=STAFF, applies=_from(S.INPROGRESS)),
    Move(
        name="reschedule",
        label=_("Move"),
        does=appointments.reschedule,
        may=STAFF,
        form=RescheduleForm,
        applies=_from(*MOVABLE),
    ),
    Move(
        name="no-show",
        label=_("Did not come"),
        does=_to(S.NOSHOW),
        may=STAFF,
        asks=True,
        explains=_("The patient did not come. The time becomes free."),
        applies=_missable,
    ),
    Move(
        name="cancel",
        label=_("Cancel"),
        does=appointments.cancel,
        may=STAFF,
        form=CancelForm,
        is_grave=True,
        explains=_("The time becomes free, and the patient is told by e-mail."),
        applies=_from(*MOVABLE),
    ),
)
