"""Every refusal of scheduling: the docstring is the message. Source: contract/scheduling.md."""

from __future__ import annotations

from restartix.kernel.errors import Conflict, Forbidden, Gone


class SlotUnavailable(Conflict):
    """That time is taken: choose another one."""

    code = "slot_unavailable"


class HoldQuotaExceeded(Conflict):
    """You are holding as many times as one visitor may: release one, or wait until one lapses."""

    code = "hold_quota_exceeded"


class HoldExpired(Gone):
    """The time was kept for you, but not any more: choose it again if it is still free."""

    code = "hold_expired"


class HoldAlreadyBooked(Conflict):
    """This hold has become an appointment already."""

    code = "hold_already_booked"


class TooManyStreams(Conflict):
    """This hold is being watched in as many places as it may."""

    code = "too_many_streams"


class ConsentRequired(Conflict):
    """The patient has to agree to these first."""

    code = "consent_required"


class PatientExists(Conflict):
    """A patient of this clinic has this e-mail address: say whether it is the same human being."""

    code = "patient_exists"

    def __init__(self, patient_id: int) -> None:
        """Name the patient."""
        super().__init__(details={"patient_id": patient_id})


class TooLate(Conflict):
    """It is too late for that."""

    code = "too_late"


class TooEarly(Conflict):
    """It is too early for that."""

    code = "too_early"


class CutoffPassed(Conflict):
    """Patients may change this appointment only until its cut-off: call the clinic."""

    code = "cutoff_passed"


class NotReschedulable(Conflict):
    """There are no offered times to choose from for this appointment: call the clinic."""

    code = "not_reschedulable"


class AppointmentClosed(Conflict):
    """The appointment is over: only its notes may still change."""

    code = "appointment_closed"


class ContactSettled(Conflict):
    """The contact of a booking may change until the patient is taken in; afterwards, change the patient's file."""


class NotOnboarded(Conflict):
    """Forms are made for a patient: take the patient in first."""

    code = "appointment_not_onboarded"


class NotDone(Conflict):
    """An appointment can be rated once it has taken place."""

    code = "not_done"


class NotYourAppointment(Forbidden):
    """Specialists make and move appointments in their own calendar."""


class NotExpected(Conflict):
    """Only somebody who is still expected can arrive: this session has begun, or the appointment is over."""


class ChangedMeanwhile(Conflict):
    """Somebody changed this appointment a moment ago: look at it as it is now, then try again."""

    code = "changed_meanwhile"


class AppointmentTookPlace(Conflict):
    """An appointment that is in progress or done is part of the record and stays."""


class NotVideo(Conflict):
    """This appointment takes place at the clinic: there is no video room."""

    code = "not_video"


class RoomNotReady(Conflict):
    """The video room is not ready yet: try again in a moment."""

    code = "room_not_ready"


class RoomNotFailed(Conflict):
    """Only a video room that failed can be tried again."""
