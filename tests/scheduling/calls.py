"""Video appointments of the cast, and what becomes of their rooms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.organizations.services import keys
from apps.profiles.models import Patient
from apps.scheduling.models import Appointment, Room
from apps.scheduling.services import appointments, room_keeping, rooms
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor
from tests.make.cast import Cast
from tests.make.organizations import SYSTEM, within
from tests.scheduling import daily

__all__ = ["Sessions", "daily_server"]


@dataclass
class Sessions:
    """Sessions of Ana Pop with Sara Marin."""

    cast: Cast

    def make(self, *, starts_in: timedelta = timedelta(minutes=30), minutes: int = 50, **more: Any) -> Appointment:
        """A session by video; a whole minute, as the contract has it."""
        start = datetime.now(UTC).replace(second=0, microsecond=0) + starts_in
        values = {
            "patient": self.cast.ana.patient,
            "specialist": self.cast.sara.specialist,
            "started_at": start,
            "ended_at": start + timedelta(minutes=minutes),
            "mode": "video",
            **more,
        }
        with within(self.cast.sud):
            return appointments.create(by=SYSTEM, **values)

    def use_daily(self, key: str = daily.KEY) -> None:
        """Give the clinic a key."""
        with within(self.cast.sud):
            keys.put(by=SYSTEM, service="daily", api_key=key)

    def now(self, appointment: Appointment) -> Appointment:
        """The appointment as it stands."""
        with within(self.cast.sud):
            return Appointment.objects.select_related("organization").get(pk=appointment.pk)

    def room(self, appointment: Appointment) -> Room | None:
        with within(self.cast.sud):
            return Room.objects.filter(appointment=appointment).first()

    def keep(self) -> int:
        """Do what the periodic task does."""
        rooms.reconcile()
        return room_keeping.run()

    def do(self, service: Any, appointment: Appointment, **values: Any) -> Any:
        """Call a service about the appointment, as the clinic's admin."""
        assert self.cast.ion.user is not None
        admin = Actor(kind="user", id=self.cast.ion.user.pk, role=Role.ADMIN, organization_id=self.cast.sud.pk)
        with within(self.cast.sud):
            return service(appointment, by=admin, **values)

    @property
    def patient(self) -> Patient:
        found = self.cast.ana.patient
        assert found is not None
        return found


@pytest.fixture
def daily_server(settings: Any) -> Iterator[daily.DailyServer]:
    """Daily on the loopback, for every clinic that has a key."""
    with daily.serving() as server:
        settings.DAILY_API_URL = server.url
        yield server
