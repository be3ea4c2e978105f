"""What two admins do at the same moment, on real connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from apps.organizations.models import Membership
from tests.make.organizations import within


def at_once(*calls):
    """Run the calls at the same moment, each on a connection of its own."""
    barrier = Barrier(len(calls))

    def run(call):
        barrier.wait(10)
        try:
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_two_admins_who_demote_each_other_leave_one(committed_db, cast, api):
    with within(cast.sud):
        ids = dict(Membership.objects.filter(role="admin").values_list("user_id", "pk"))

    def demote(by, whom):
        path = f"/v1/organizations/{cast.sud.pk}/members/{ids[whom.user.pk]}"
        client = api(by)
        return lambda: client.patch(path, {"role": "specialist"})

    answers = at_once(demote(cast.ion, cast.vera), demote(cast.vera, cast.ion))

    assert sorted(answer.status for answer in answers) in ([200, 409], [200, 403])
    assert {answer.code for answer in answers if answer.status == 409} <= {"last_admin"}
    with within(cast.sud):
        assert Membership.objects.filter(role="admin", status="active").count() == 1


@pytest.mark.parametrize("change", [{"role": "specialist"}, {"status": "disabled"}])
def test_whoever_removes_admins_at_once_one_stays(committed_db, cast, api, change):
    """Each admin removes the other while a superadmin removes both."""
    with within(cast.sud):
        ids = dict(Membership.objects.filter(role="admin").values_list("user_id", "pk"))

    def remove(by, whom):
        path = f"/v1/organizations/{cast.sud.pk}/members/{ids[whom.user.pk]}"
        client = api(by)
        return lambda: client.patch(path, change)

    answers = at_once(
        remove(cast.ion, cast.vera),
        remove(cast.vera, cast.ion),
        remove(cast.root, cast.ion),
        remove(cast.root, cast.vera),
    )

    assert {answer.status for answer in answers} <= {200, 403, 404, 409}
    assert {answer.code for answer in answers if answer.status == 409} == {"last_admin"}
    with within(cast.sud):
        assert Membership.objects.filter(role="admin", status="active").count() == 1


def test_one_user_connected_twice_at_once_becomes_one_member(committed_db, cast, api):
    def connect(by):
        client = api(by)
        body = {"email": "sorin.radu@example.org", "role": "specialist"}
        return lambda: client.post(f"/v1/organizations/{cast.sud.pk}/connect-user", body)

    answers = at_once(connect(cast.ion), connect(cast.vera))

    assert sorted(answer.status for answer in answers) == [200, 201]
