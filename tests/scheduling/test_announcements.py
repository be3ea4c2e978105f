"""What open boards are told: every change, after the commit, and nothing that did not happen."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from apps.scheduling.errors import SlotUnavailable
from apps.scheduling.lifecycles import AppointmentStatus, HoldStatus
from apps.scheduling.models import Hold
from apps.scheduling.services import announcements, appointments, arrivals, holds, sweeping
from apps.scheduling.services.announcements import BoardChanged
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor
from tests.admin.office import appointment, booking, hold, template
from tests.make.organizations import SYSTEM, within

SERVICES = Path(sweeping.__file__).parent
#: Writes of what no board shows: a specialty that is being removed.
UNSEEN = {"removals.py"}


@pytest.fixture
def told(monkeypatch, django_capture_on_commit_callbacks):
    """Runs a change and returns the clinics whose boards were told of it after the commit."""

    def of(change):
        heard = []
        monkeypatch.setattr(announcements, "_senders", [heard.extend])
        with django_capture_on_commit_callbacks(execute=True):
            change()
        return {hint.organization_id for hint in heard if isinstance(hint, BoardChanged)}

    return of


@pytest.fixture
def start():
    """The next Monday at ten, UTC."""
    monday = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0)
    return monday + timedelta(days=7 - monday.weekday())


def in_sud(cast, act, *args, **values):
    def change():
        with within(cast.sud):
            act(*args, by=Actor(kind="user", id=cast.ion.user.pk, role=Role.ADMIN), **values)

    return change


CHANGES = {
    "confirm": (appointments.change_status, {"to": AppointmentStatus.CONFIRMED}),
    "cancel": (appointments.cancel, {"reason": "Ill"}),
    "remove": (appointments.remove, {}),
    "arrive": (arrivals.arrive, {}),
    "not here after all": (arrivals.take_back, {}),
    "start": (appointments.change_status, {"to": AppointmentStatus.INPROGRESS}),
}


class TestBoardsAreTold:
    @pytest.mark.parametrize("name", CHANGES)
    def test_of_what_happens_to_an_appointment(self, cast, told, name):
        act, values = CHANGES[name]
        soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=10)
        visit = appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), soon)

        assert told(in_sud(cast, act, visit, **values)) == {cast.sud.pk}

    def test_of_a_move(self, cast, told, start):
        visit = appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), start)
        later = start + timedelta(hours=1)

        assert told(in_sud(cast, appointments.reschedule, visit, started_at=later)) == {cast.sud.pk}

    def test_of_new_appointments_and_holds(self, cast, told, start):
        offered = template(cast.sud, cast.sara.specialist)

        assert told(lambda: appointment(cast.sud, cast.sara.specialist, offered, start)) == {cast.sud.pk}
        assert told(lambda: booking(cast.sud, offered, start + timedelta(hours=1))) == {cast.sud.pk}

    def test_of_what_becomes_of_a_hold(self, cast, told, start):
        offered = template(cast.sud, cast.sara.specialist)
        held, token = hold(cast.sud, offered, start)

        def renew():
            with within(cast.sud):
                holds.renew(hold_id=held.hold_id, token=token)

        def release():
            with within(cast.sud):
                holds.end(held, HoldStatus.RELEASED)

        assert told(renew) == {cast.sud.pk}
        assert told(release) == {cast.sud.pk}

    def test_of_holds_that_are_swept_each_in_its_clinic(self, cast, told, start):
        for clinic, person in ((cast.sud, cast.sara), (cast.nord, cast.sorin)):
            held, _token = hold(clinic, template(clinic, person.specialist), start)
            with within(clinic):
                Hold.objects.filter(pk=held.pk).update(expires_at=datetime(2020, 1, 1, tzinfo=UTC))

        assert told(sweeping.sweep) == {cast.sud.pk, cast.nord.pk}


def test_boards_are_told_nothing_of_what_was_refused(cast, told, start):
    offered = template(cast.sud, cast.sara.specialist)
    appointment(cast.sud, cast.sara.specialist, offered, start)
    other = appointment(cast.sud, cast.sara.specialist, offered, start + timedelta(hours=2))

    def refused():
        with within(cast.sud), pytest.raises(SlotUnavailable):
            appointments.reschedule(other, started_at=start, by=SYSTEM)

    assert told(refused) == set()


def test_whichever_service_writes_appointments_tells_the_boards():
    """A new module that saves appointments without `moves.lock` or a hint of its own fails here."""
    writes = re.compile(r"\bappointment\.save\(|Appointment\.objects\b[^\n]*\.update\(")
    tells = re.compile(r"\bmoves\.(lock|begin)\(|\block\(|BoardChanged\(|\bannounce\(")
    modules = {path.name: path.read_text(encoding="utf-8") for path in SERVICES.glob("*.py")}
    silent = {name for name, text in modules.items() if writes.search(text) and not tells.search(text)}

    assert silent == UNSEEN
