"""Who has come through the door, and for how long they have been waiting."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.organizations.models import AuditEntry
from apps.scheduling.errors import NotExpected, TooEarly
from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.services import appointments, arrivals
from tests.admin.office import appointment, booking, template
from tests.make.organizations import SYSTEM, within


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
def visit(cast, now):
    """A visit that begins in ten minutes."""
    return appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), later(now, 10))


def later(now: datetime, minutes: int) -> datetime:
    return now + timedelta(minutes=minutes)


class TestAnArrival:
    def test_is_a_mark_and_no_status(self, cast, visit, now):
        with within(cast.sud):
            here = arrivals.arrive(visit, by=SYSTEM)

        assert (here.status, now <= here.arrived_at) == (AppointmentStatus.UPCOMING, True)

    def test_keeps_the_first_moment(self, cast, visit):
        with within(cast.sud):
            first = arrivals.arrive(visit, by=SYSTEM).arrived_at

            assert arrivals.arrive(visit, by=SYSTEM).arrived_at == first

    def test_can_be_taken_back(self, cast, visit):
        with within(cast.sud):
            arrivals.arrive(visit, by=SYSTEM)

            assert arrivals.take_back(visit, by=SYSTEM).arrived_at is None

    def test_of_somebody_who_is_only_a_contact_is_fine(self, cast, time_machine):
        offered = template(cast.sud, cast.sara.specialist, min_notice_minutes=0)
        monday = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
        monday += timedelta(days=7 - monday.weekday())
        visit = booking(cast.sud, offered, monday)
        time_machine.move_to(monday.isoformat())

        with within(cast.sud):
            assert arrivals.arrive(visit, by=SYSTEM).arrived_at is not None

    def test_is_on_record(self, cast, visit):
        with within(cast.sud):
            arrivals.arrive(visit, by=SYSTEM)
            entry = AuditEntry.objects.filter(entity_type="appointment", entity_id=str(visit.pk)).latest("id")

        assert set(entry.changes) == {"arrived_at"}

    def test_seven_hours_early_is_somebody_elses(self, cast, now):
        offered = template(cast.sud, cast.sara.specialist)
        visit = appointment(cast.sud, cast.sara.specialist, offered, later(now, 7 * 60))

        with within(cast.sud), pytest.raises(TooEarly) as refused:
            arrivals.arrive(visit, by=SYSTEM)

        assert "not_before" in refused.value.details

    @pytest.mark.parametrize("act", [arrivals.arrive, arrivals.take_back])
    def test_is_settled_once_the_session_began(self, cast, visit, act):
        with within(cast.sud):
            Appointment.objects.filter(pk=visit.pk).update(status=AppointmentStatus.INPROGRESS)

            with pytest.raises(NotExpected):
                act(visit, by=SYSTEM)


class TestAMovedVisit:
    def test_on_the_same_day_leaves_the_patient_waiting(self, cast, visit, now):
        with within(cast.sud):
            arrivals.arrive(visit, by=SYSTEM)
            moved = appointments.reschedule(visit, started_at=later(now, 60), by=SYSTEM)

        assert moved.arrived_at is not None

    def test_to_another_day_takes_the_arrival_back(self, cast, visit, now):
        with within(cast.sud):
            arrivals.arrive(visit, by=SYSTEM)
            moved = appointments.reschedule(visit, started_at=later(now, 24 * 60), by=SYSTEM)

        assert moved.arrived_at is None
