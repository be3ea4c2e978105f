"""What became of the visits of a demo clinic: most took place, some were cancelled, a few patients did not come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.organizations.models import User
from apps.scheduling.lifecycles import ACTIVE, AppointmentStatus
from apps.scheduling.management.demo.plan import people
from apps.scheduling.management.demo.week import Visit
from apps.scheduling.models import Appointment, AppointmentStatusChange, Claim
from apps.scheduling.models.appointments import CancelActor, ReasonCode
from apps.scheduling.services import appointments
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, active_organization_id

S = AppointmentStatus
#: Of a hundred visits so many are cancelled beforehand, and so many are missed.
CANCELLED, MISSED = 0.08, 0.05
#: Patients come so long before their visit.
EARLY = timedelta(minutes=45)

#: From, to, when, why.
Move = tuple[str | None, str, datetime, str | None]


def final_status(visit: Visit) -> AppointmentStatus:
    """Return how the visit ends."""
    if visit.fate < CANCELLED:
        return S.CANCELLED
    return S.NOSHOW if visit.fate < CANCELLED + MISSED else S.DONE


def patient_note(visit: Visit) -> str | None:
    """Return what one patient in eight says beforehand."""
    notes = people()["patient_notes"]
    return notes[int(visit.detail * 8 * len(notes))] if visit.detail < 1 / 8 else None


def write(by: User, visits: Iterable[tuple[Appointment, Visit]]) -> None:
    """Insert visits that are over, each with its outcome and its history."""
    ended = [(appointment, _end(appointment, visit)) for appointment, visit in visits]
    Appointment.objects.bulk_create(appointment for appointment, _ in ended)
    begun = [(appointment, [(None, S.UPCOMING, appointment.created_at, None), *moves]) for appointment, moves in ended]
    _keep_history(by, begun)


def settle(by: User, visits: Iterable[tuple[Appointment, Visit]], *, before: datetime) -> None:
    """End visits that ended before `before` and still wait for an outcome, as long as nobody has moved them."""
    waiting = [(appointment, visit) for appointment, visit in visits if _waits(appointment, visit, before)]
    ended = [(appointment, _end(appointment, visit)) for appointment, visit in waiting]
    for appointment, _ in ended:
        appointment.save()
    Claim.objects.filter(appointment__in=[appointment for appointment, _ in ended]).delete()
    _keep_history(by, ended)


def _waits(appointment: Appointment, visit: Visit, before: datetime) -> bool:
    is_active = appointment.status in ACTIVE and appointment.deleted_at is None and appointment.patient_id is not None
    return is_active and appointment.started_at == visit.start and visit.end <= before


def _end(appointment: Appointment, visit: Visit) -> list[Move]:
    """Give the appointment its final status and moments, and return the moves that lead there."""
    before, end = appointment.status, final_status(visit)
    if before == S.INPROGRESS and end == S.CANCELLED:
        end = S.DONE
    appointment.status, appointment.room_status = end, None
    if end == S.CANCELLED:
        return [(before, end, *_cancel(appointment, visit))]
    if end == S.NOSHOW:
        return [(before, end, visit.start + timedelta(minutes=15), None)]
    return _take_place(appointment, visit, before)


def _take_place(appointment: Appointment, visit: Visit, before: str) -> list[Move]:
    words = people()["notes"]
    begun_at = appointment.session_started_at or visit.start + timedelta(minutes=int(visit.detail * 4))
    ended_at = visit.end - timedelta(minutes=int(visit.detail * 3))
    appointment.notes = words[int(visit.detail * len(words))]
    appointment.session_started_at, appointment.session_ended_at = begun_at, ended_at
    if visit.detail > 0.7:
        appointment.rating_stars = 5 if visit.detail > 0.8 else 4
        appointment.rated_at = ended_at + timedelta(minutes=5)
    begun: list[Move] = [] if before == S.INPROGRESS else [(before, S.INPROGRESS, begun_at, None)]
    return [*begun, (S.INPROGRESS, S.DONE, ended_at, None)]


def _cancel(appointment: Appointment, visit: Visit) -> tuple[datetime, str]:
    """Cancel some time before the start, by the patient within the cut-off or by the clinic; return when and why."""
    at = max(visit.start - timedelta(hours=2 + int(visit.detail * 60)), appointment.created_at + timedelta(minutes=20))
    late = at > appointment.cancel_until
    words = people()["staff_reasons"] if late else people()["patient_reasons"]
    appointment.cancelled_at, appointment.cancelled_late = at, late
    appointment.cancel_actor = CancelActor.CLINIC if late else CancelActor.PATIENT
    appointment.cancel_reason_code = ReasonCode.CLINIC_REQUEST if late else ReasonCode.PATIENT_REQUEST
    appointment.cancel_reason = words[int(visit.luck * len(words))]
    return at, appointment.cancel_reason


def _keep_history(by: User, ended: Iterable[tuple[Appointment, list[Move]]]) -> None:
    AppointmentStatusChange.objects.bulk_create(
        AppointmentStatusChange(appointment=appointment, from_status=before, to_status=to, at=at, by=by, reason=reason)
        for appointment, moves in ended
        for before, to, at, reason in moves
    )


def bring_about(appointment: Appointment, visit: Visit, admin: User, *, now: datetime) -> None:
    """Let a new appointment stand where such a one stands now: in progress, confirmed, cancelled, or just upcoming.

    Whoever comes soon is in the waiting room already.
    """
    by = Actor(kind="user", id=admin.pk, name=admin.name, role=Role.ADMIN, organization_id=active_organization_id())
    if visit.fate < CANCELLED:
        reason = people()["staff_reasons"][int(visit.luck * len(people()["staff_reasons"]))]
        appointments.cancel(appointment, by=by, reason=reason)
    elif visit.start <= now:
        appointments.change_status(appointment, to=S.INPROGRESS, by=by)
        Appointment.objects.filter(pk=appointment.pk).update(session_started_at=visit.start)
    elif _is_confirmed(visit, now):
        appointments.change_status(appointment, to=S.CONFIRMED, by=by)
    if visit.fate >= CANCELLED and now < visit.start <= now + EARLY:
        here_since = now - timedelta(minutes=2 + int(visit.luck * 12))
        Appointment.objects.filter(pk=appointment.pk).update(arrived_at=here_since)


def _is_confirmed(visit: Visit, now: datetime) -> bool:
    """Say whether the patient has confirmed: most of those whose visit is tomorrow, few of the others."""
    return visit.detail < (0.7 if visit.start - now < timedelta(days=2) else 0.15)
