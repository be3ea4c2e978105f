"""What must agree before a row is removed, and what goes with it."""

from __future__ import annotations

import pytest

from apps.organizations.services.removals import Removal, StillNeeded
from restartix.kernel.tenancy import Actor


def test_tells_every_count_while_one_is_not_zero():
    removal = Removal()
    removal.refuse_while("appointments", lambda row: 0)
    removal.refuse_while("enrolments", lambda row: row)

    removal.check(0)
    with pytest.raises(StillNeeded) as refused:
        removal.check(2)

    assert refused.value.details == {"appointments": 0, "enrolments": 2}


def test_carries_out_each_consequence_once_however_often_it_is_registered():
    done = []
    removal = Removal()
    note = lambda row, by: done.append((row, by.name))  # noqa: E731
    removal.together_with(note)
    removal.together_with(note)

    removal.carry_out(7, by=Actor.system("tests"))

    assert done == [(7, "tests")]
