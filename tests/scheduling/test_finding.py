"""The next free times for the desk: the slots of the contract, without the bounds that are for patients only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.scheduling.selectors.finding import MOST_WINDOWS, WINDOW_DAYS, FreeTime, next_free
from apps.scheduling.selectors.offers import offering
from restartix.kernel import clock
from restartix.kernel.tenancy import acting_for
from tests.scheduling.world import BUILDER, Api, Clinic, hold, next_weekday, starts, z

pytestmark = pytest.mark.django_db


def found(clinic: Clinic, template, *, count: int = 5, **asked) -> list[FreeTime]:
    now = asked.pop("now", clock.now())
    with acting_for(clinic.organization.pk, actor=BUILDER):
        return next_free(offering(template.pk, now=now, public_only=False), now=now, count=count, **asked)


def instants(times: list[FreeTime]) -> list[str]:
    return [z(datetime.fromtimestamp(time.start, UTC)) for time in times]


def test_are_the_slots_that_patients_see_where_nothing_bounds_these() -> None:
    clinic = Clinic.make(specialists=2)
    template = clinic.template()
    monday = next_weekday(0)
    hold(Api(), template, z(monday))
    offered = starts(Api(), template, monday.date().isoformat(), (monday + timedelta(days=6)).date().isoformat())

    times = found(clinic, template, first=monday.date(), count=len(offered))

    assert instants(times) == offered
    assert all(time.is_open for time in times)
    assert [len(time.providers) for time in times[:3]] == [2, 1, 2]


def test_begin_today_and_never_lie_in_the_past() -> None:
    clinic = Clinic.make()
    template = clinic.template()
    now = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)  # a Monday, 11:30 in Bucharest

    assert instants(found(clinic, template, now=now, count=2)) == ["2027-03-01T10:00:00Z", "2027-03-01T11:00:00Z"]
    assert instants(found(clinic, template, now=now, first=datetime(2020, 1, 1, tzinfo=UTC).date(), count=1)) == [
        "2027-03-01T10:00:00Z"
    ]


def test_go_beyond_notice_and_horizon_and_say_which_patients_may_not_book() -> None:
    clinic = Clinic.make()
    now = datetime(2027, 3, 1, 6, tzinfo=UTC)
    template = clinic.template(min_notice_minutes=180, horizon_days=1)

    times = found(clinic, template, now=now, count=10)

    assert instants(times)[0] == "2027-03-01T07:00:00Z"
    assert [time.is_open for time in times] == [False, False, *[True] * 6, False, False]


def test_of_a_service_that_is_not_public_are_the_desks_alone() -> None:
    clinic = Clinic.make()

    assert not any(time.is_open for time in found(clinic, clinic.template(is_public=False)))


def test_end_the_search_after_half_a_year(django_assert_max_num_queries) -> None:
    clinic = Clinic.make(weekly=[])
    template = clinic.template()

    with django_assert_max_num_queries(MOST_WINDOWS + 8):
        assert found(clinic, template) == []
    assert MOST_WINDOWS * WINDOW_DAYS > 180


def test_keep_to_one_specialist() -> None:
    clinic = Clinic.make(specialists=2)
    second = clinic.specialists[1].pk

    times = found(clinic, clinic.template(), specialist_id=second)

    assert {provider.specialist.pk for time in times for provider in time.providers} == {second}
