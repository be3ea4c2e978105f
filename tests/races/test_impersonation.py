"""Beginnings of impersonations at the same moment: the pace holds, whatever comes between."""

from __future__ import annotations

import pytest
from django.db import connections

from apps.profiles.services import impersonations
from restartix.kernel.errors import RateLimited
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, acting_for
from tests.races.crowd import at_once

pytestmark = pytest.mark.usefixtures("committed_db")


def test_of_many_at_once_three_begin(cast):
    by = Actor(kind="user", id=cast.ion.user.pk, role=Role.ADMIN, organization_id=cast.sud.pk)

    def begin():
        try:
            with acting_for(cast.sud.pk, actor=by):
                impersonations.start(cast.ana.patient, by=by, reason="All at the same moment")
        except RateLimited:
            return False
        finally:
            connections.close_all()
        return True

    assert sum(at_once([begin] * 8)) == 3
