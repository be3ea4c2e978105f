"""Fixtures of the back office's tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.admin.office import Office


@pytest.fixture
def office(cast):
    """The back office of a person of the cast, in the clinic that is named: `office(cast.ion)`."""

    def of(person=None, clinic=None, language="en"):
        return Office(getattr(person, "user", person), clinic, language)

    return of


@pytest.fixture
def monday():
    """The next Monday, 08:00 UTC: inside everybody's hours, summer or winter."""
    day = datetime.now(UTC).replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(days=(7 - day.weekday()) % 7)
