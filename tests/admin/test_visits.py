"""What the desk does with a visit from the board: arrivals, moves, endings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.admin.office import appointment, template


@pytest.fixture
def visit(cast):
    """A visit that begins in ten minutes."""
    soon = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=10)
    return appointment(cast.sud, cast.sara.specialist, template(cast.sud, cast.sara.specialist), soon)


def test_the_desk_marks_an_arrival_from_the_page_and_takes_it_back(cast, visit, office):
    mara = office(cast.mara)
    page = f"/admin/scheduling/appointment/{visit.pk}/change/"
    assert "moves/arrived/" in mara.get(page).html

    answer = mara.post(f"/admin/scheduling/appointment/moves/arrived/?ids={visit.pk}")

    assert answer.messages == ["success: Arrived: done."]
    assert "moves/arrived/" not in answer.html
    assert "moves/not-arrived/" in answer.html
