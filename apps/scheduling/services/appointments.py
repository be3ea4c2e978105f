"""Appointments made, moved and ended by people who are signed in. Source: contract/scheduling.md 1.2, 3.1."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from apps.organizations.models import Organization
from apps.organizations.services import facts
from apps.profiles.models import Patient, Specialist
from apps.profiles.services import patients
from apps.scheduling.domain import slots
from apps.scheduling.errors import (
    AppointmentTookPlace,
    CutoffPassed,
    NotReschedulable,
    NotYourAppointment,
    SlotUnavailable,
    TooEarly,
    TooLate,
)
from apps.scheduling.facts import AppointmentRescheduled
from apps.scheduling.lifecycles import CANCEL_OPERATION, MOVABLE, STATUS_OPERATION, AppointmentStatus
from apps.scheduling.models import Appointment, AppointmentTemplate
from apps.scheduling.models.appointments import DEFAULT_CUTOFF_HOURS, CancelActor, ReasonCode, RoomStatus, Source
from apps.scheduling.models.templates import Mode
from apps.scheduling.selectors.booking import timeslots
from apps.scheduling.selectors.offers import local_date, offering
from apps.scheduling.services import arrivals, claims, moves, paperwork, rooms
from restartix.kernel import clock
from restartix.kernel.errors import Forbidden, Invalid, InvalidTransition
from restartix.kernel.roles import ADMINS, DESK, MEMBERS, Role, Roles
from restartix.kernel.tenancy import Actor, active_organization_id

S = AppointmentStatus
#: Staff may enter what has just happened, but no older.
BACKDATE = timedelta(hours=24)
#: A session may be opened so long before its start.
OPEN_BEFORE = timedelta(minutes=60)
LONGEST = timedelta(hours=24)
#: Who may make which move, besides the assigned specialist, who may make all (contract/scheduling.md 1.2).
STATUS_ROLES = {
    (S.UPCOMING, S.CONFIRMED): DESK | {Role.PATIENT},
    (S.UPCOMING, S.INPROGRESS): ADMINS,
    (S.UPCOMING, S.NOSHOW): DESK,
    (S.CONFIRMED, S.INPROGRESS): ADMINS,
    (S.CONFIRMED, S.NOSHOW): DESK,
    (S.INPROGRESS, S.DONE): ADMINS,
    (S.INPROGRESS, S.NOSHOW): ADMINS,
}


@transaction.atomic
def create(
    *,
    patient: Patient,
    specialist: Specialist,
    started_at: datetime,
    by: Actor,
    ended_at: datetime | None = None,
    template: AppointmentTemplate | None = None,
    source: Source = Source.STAFF,
    **details: Any,
) -> Appointment:
    """Make an appointment at a time of staff's own choosing, inside the hours or not.

    `template` gives what `details` (title, specialty, mode, location, notes, patient_service_plan_id) leave open, and
    the duration; its forms come along where it is the `source`. Raises Invalid (422) for a start earlier than 24 hours
    ago or an end that does not fit, NotYourAppointment (403) for a specialist making one for another, SlotUnavailable
    (409).
    """
    if by.effective_role == Role.SPECIALIST and specialist.user_id != by.user_id:
        raise NotYourAppointment
    if ended_at is None and template is None:
        raise Invalid({"ended_at": ["required without a template, which would give the duration"]})
    ended_at = ended_at or started_at + timedelta(minutes=template.duration_minutes if template else 0)
    check_times(started_at, ended_at)
    organization = Organization.objects.get(pk=active_organization_id())
    given = {name: value for name, value in details.items() if value is not None}
    appointment = Appointment(
        **{**_defaults(organization, template), **given},
        status=S.UPCOMING,
        source=source,
        started_at=started_at,
        ended_at=ended_at,
        specialist=specialist,
        patient=patient,
    )
    appointment.room_status = RoomStatus.PENDING if appointment.mode == Mode.VIDEO else None
    appointment.save()
    # the links have locked both rows by now: a deletion has either been seen here or waits for this to commit
    if Specialist.objects.filter(pk=specialist.pk, deleted_at__isnull=False).exists():
        raise Invalid({"specialist_id": ["not found"]})
    patients.check_not_removed(patient)
    claims.take(appointment)
    if source == Source.TEMPLATE:
        paperwork.kept().make_missing(appointment, by=by)
    moves.begin(appointment, by=by)
    rooms.look(appointment)
    return appointment


def _defaults(organization: Organization, template: AppointmentTemplate | None) -> dict[str, Any]:
    common = {"timezone": organization.timezone, "locale": organization.locale}
    if template is None:
        plain = {"title": "Appointment", "mode": Mode.IN_PERSON, "currency": organization.currency}
        return {**common, **plain, "cutoff_hours": DEFAULT_CUTOFF_HOURS}
    return {**common, **template.terms()}


def check_times(started_at: datetime, ended_at: datetime) -> None:
    """Raise Invalid (422) unless the start is at most 24 hours ago and the end 0 to 24 hours after it."""
    problems: dict[str, list[str]] = {}
    if started_at < clock.now() - BACKDATE:
        problems["started_at"] = ["earlier than 24 hours ago"]
    if ended_at <= started_at:
        problems["ended_at"] = ["has to be after started_at"]
    elif ended_at - started_at > LONGEST:
        problems["ended_at"] = ["at most 24 hours after started_at"]
    if problems:
        raise Invalid(problems)


@transaction.atomic
def change_status(
    appointment: Appointment, *, to: AppointmentStatus, by: Actor, reason: str | None = None
) -> Appointment:
    """Move the appointment to `confirmed`, `inprogress`, `done` or `noshow`. Locks its row.

    Raises Forbidden (403) if the caller's role makes no move to that status, InvalidTransition (409), Forbidden (403)
    if it may not make this move, then TooLate or TooEarly (409) by the clock.
    """
    appointment = moves.lock(appointment)
    assigned = is_assigned(appointment, by)
    if not assigned and by.effective_role not in _setters(to):
        raise Forbidden
    STATUS_OPERATION.check(appointment.status, to)
    if not assigned and by.effective_role not in STATUS_ROLES[S(appointment.status), to]:
        raise Forbidden
    _check_moment(appointment, to)
    moves.move(appointment, to, by=by, reason=reason)
    _stamp(appointment, to)
    if to in (S.DONE, S.NOSHOW):
        claims.release(appointment)
        appointment.room_status = appointment.room_url = None
    appointment.save()
    rooms.look(appointment)
    facts.record(moves.missed(appointment) if to == S.NOSHOW else moves.updated(appointment))
    return appointment


def may_set(appointment: Appointment, to: AppointmentStatus, *, by: Actor) -> bool:
    """Tell whether the caller may move the appointment to `to` now, as it stands."""
    roles = STATUS_ROLES.get((S(appointment.status), to))
    if roles is None or not (by.effective_role in roles or is_assigned(appointment, by)):
        return False
    try:
        _check_moment(appointment, to)
    except (TooEarly, TooLate):
        return False
    return True


def _setters(to: AppointmentStatus) -> Roles:
    """Return the roles that may set a status from somewhere; everybody is told that a status cannot be set at all."""
    found = [roles for (_, target), roles in STATUS_ROLES.items() if target == to]
    return frozenset().union(*found) if found else MEMBERS


def is_assigned(appointment: Appointment, actor: Actor) -> bool:
    """Tell whether `actor` is the specialist of the appointment, whatever the role."""
    return actor.staff_user_id is not None and appointment.specialist.user_id == actor.staff_user_id


def _check_moment(appointment: Appointment, to: AppointmentStatus) -> None:
    now, start = clock.now(), appointment.started_at
    if to == S.CONFIRMED and now >= start:
        raise TooLate(details={"not_after": _instant(start)})
    if appointment.status == S.INPROGRESS:
        return
    if to == S.INPROGRESS and now < start - OPEN_BEFORE:
        raise TooEarly(details={"not_before": _instant(start - OPEN_BEFORE)})
    if to == S.NOSHOW and now < start:
        raise TooEarly(details={"not_before": _instant(start)})


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp(appointment: Appointment, to: AppointmentStatus) -> None:
    column = {S.CONFIRMED: "confirmed_at", S.INPROGRESS: "session_started_at", S.DONE: "session_ended_at"}.get(to)
    if column:
        setattr(appointment, column, clock.now())


@transaction.atomic
def cancel(
    appointment: Appointment,
    *,
    by: Actor,
    as_patient: bool = False,
    reason: str | None = None,
    reason_code: ReasonCode | None = None,
) -> Appointment:
    """Cancel the appointment and give its time back. Locks its row.

    `as_patient` judges by the patient's rules: the patient, a caregiver, or whoever has the manage link. Staff give a
    `reason`. Raises Invalid (422) without it, InvalidTransition (409), CutoffPassed (409) for a patient after the
    cut-off.
    """
    appointment = moves.lock(appointment)
    if not as_patient and not reason:
        raise Invalid({"reason": ["required"]})
    CANCEL_OPERATION.check(appointment.status, S.CANCELLED)
    now = clock.now()
    late = now > appointment.cancel_until
    if as_patient and late:
        raise CutoffPassed(details={"cutoff_at": _instant(appointment.cancel_until)})
    appointment.cancel_actor = _cancel_actor(appointment, by, as_patient=as_patient)
    appointment.cancelled_at, appointment.cancelled_by_id, appointment.cancelled_late = now, by.user_id, late
    appointment.cancel_reason = reason or None
    appointment.cancel_reason_code = reason_code or DEFAULT_REASONS[CancelActor(appointment.cancel_actor)]
    moves.move(appointment, S.CANCELLED, by=by, reason=reason)
    appointment.room_status = appointment.room_url = None
    appointment.save()
    rooms.look(appointment)
    claims.release(appointment)
    facts.record(moves.cancelled(appointment))
    return appointment


DEFAULT_REASONS = {
    CancelActor.PATIENT: ReasonCode.PATIENT_REQUEST,
    CancelActor.SPECIALIST: ReasonCode.SPECIALIST_UNAVAILABLE,
    CancelActor.CLINIC: ReasonCode.CLINIC_REQUEST,
    CancelActor.SYSTEM: ReasonCode.OTHER,
}


def _cancel_actor(appointment: Appointment, by: Actor, *, as_patient: bool) -> CancelActor:
    if as_patient:
        return CancelActor.PATIENT
    if by.kind == "system":
        return CancelActor.SYSTEM
    return CancelActor.SPECIALIST if is_assigned(appointment, by) else CancelActor.CLINIC


@transaction.atomic
def reschedule(
    appointment: Appointment,
    *,
    started_at: datetime,
    by: Actor,
    as_patient: bool = False,
    ended_at: datetime | None = None,
    specialist: Specialist | None = None,
    reason: str | None = None,
) -> Appointment:
    """Move the appointment to another time or specialist; a confirmed one has to be confirmed again.

    The claim moves in place: a refusal changes nothing, and its own present time does not count as taken. Locks it.
    Raises InvalidTransition (409), Invalid (422), SlotUnavailable (409), NotYourAppointment (403); for patients also
    NotReschedulable and CutoffPassed (409), and Invalid for a start that is no slot of scheduling.md 2.1.
    """
    appointment = moves.lock(appointment)
    if appointment.status not in MOVABLE:
        raise InvalidTransition(current=appointment.status, to=S.UPCOMING, allowed=[])
    specialist = specialist or appointment.specialist
    if by.effective_role == Role.SPECIALIST and not as_patient and specialist.user_id != by.user_id:
        raise NotYourAppointment
    ended_at = ended_at or started_at + appointment.duration
    if as_patient:
        _check_patient_may_move(appointment)
    before = (appointment.started_at, appointment.ended_at, appointment.specialist_id)
    if before == (started_at, ended_at, specialist.pk):
        return appointment
    if as_patient:
        _check_offered(appointment, started_at, specialist)
    else:
        check_times(started_at, ended_at)
    _move(appointment, started_at, ended_at, specialist, by, reason)
    return appointment


def _move(
    appointment: Appointment,
    started_at: datetime,
    ended_at: datetime,
    specialist: Specialist,
    by: Actor,
    reason: str | None,
) -> None:
    claims.move(appointment, specialist_id=specialist.pk, start=started_at, end=ended_at)
    appointment.started_at, appointment.ended_at, appointment.specialist = started_at, ended_at, specialist
    appointment.arrived_at = arrivals.still_holds(appointment.arrived_at, started_at=started_at)
    if appointment.status == S.CONFIRMED:
        moves.move(appointment, S.UPCOMING, by=by, reason=reason)
        appointment.confirmed_at = None
    appointment.reschedule_count += 1
    appointment.save()
    rooms.look(appointment)
    facts.record(moves.updated(appointment))
    facts.record(AppointmentRescheduled(**moves.described(appointment)))


def _check_patient_may_move(appointment: Appointment) -> None:
    template = appointment.appointment_template
    if template is None or not template.is_active:
        raise NotReschedulable
    if clock.now() > appointment.cancel_until:
        raise CutoffPassed(details={"cutoff_at": _instant(appointment.cancel_until)})


def _check_offered(appointment: Appointment, started_at: datetime, specialist: Specialist) -> None:
    """Raise Invalid (422) unless the start is one that the template offers, SlotUnavailable (409) if it is taken."""
    now = clock.now()
    offered = offering(appointment.appointment_template_id or 0, now=now, public_only=False)
    provider = offered.provider(specialist.pk)
    if provider is None:
        raise Invalid({"specialist_id": ["not found"]})
    bounds, second = offered.suspends_on_expired_license, int(started_at.timestamp())
    if not slots.is_candidate(provider.calendar([], license_bounds=bounds), offered.offer, second, now.timestamp()):
        raise Invalid({"started_at": ["not a bookable time"]})
    day = local_date(started_at, "UTC")
    free = timeslots(
        offered,
        first=day,
        last=day,
        timezone="UTC",
        specialist_id=specialist.pk,
        now=now,
        except_appointment=appointment.pk,
    )
    if second not in {start for start, _ in free.slots}:
        raise SlotUnavailable(details={"conflict": "appointment"})


@transaction.atomic
def remove(appointment: Appointment, *, by: Actor) -> None:
    """Delete the appointment softly; an active one is cancelled first. Locks the row.

    Raises Conflict (409) for one that is in progress or done.
    """
    appointment = moves.lock(appointment)
    if appointment.status in (S.INPROGRESS, S.DONE):
        raise AppointmentTookPlace
    if appointment.status in MOVABLE:
        appointment = cancel(appointment, by=by, reason="deleted", reason_code=ReasonCode.DELETED)
    appointment.deleted_at = clock.now()
    appointment.save(update_fields=["deleted_at"])
