"""Whose turn it is to be sent something, and when a delivery is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.organizations.domain import retries, sharing
from apps.organizations.domain.sharing import Busy, Waiting

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOBODY = Busy({}, {})


def waiting(organization: int, subscription: int, times: int, *, is_failing: bool = False) -> list[Waiting]:
    first = subscription * 1000
    return [
        Waiting(first + n, organization, subscription, NOON + timedelta(seconds=n), is_failing) for n in range(times)
    ]


def choose(rows: list[Waiting], *, busy: Busy = NOBODY, room: int = 64, allowance: int = 50) -> list[Waiting]:
    allowances = {each.organization_id: allowance for each in rows}
    return sharing.choose(sharing.within_shares(rows, busy=busy), busy=busy, allowances=allowances, room=room)


class TestTurns:
    def test_go_round_the_clinics_and_their_subscriptions(self) -> None:
        rows = waiting(1, 1, 6) + waiting(1, 2, 6) + waiting(2, 3, 6)

        chosen = choose(rows, room=6)

        assert [each.organization_id for each in chosen].count(2) == 3
        assert {each.subscription_id for each in chosen} == {1, 2, 3}

    def test_of_whoever_has_much_on_the_wire_come_later(self) -> None:
        busy = Busy({1: 5}, {1: 5})

        chosen = choose(waiting(1, 1, 6) + waiting(2, 2, 6), busy=busy, room=4)

        assert {each.organization_id for each in chosen} == {2}

    def test_of_one_subscription_are_few_at_a_time(self) -> None:
        assert len(choose(waiting(1, 1, 40))) == sharing.OF_SUBSCRIPTION
        assert len(choose(waiting(1, 1, 40, is_failing=True))) == sharing.OF_FAILING_SUBSCRIPTION
        assert choose(waiting(1, 1, 40), busy=Busy({1: sharing.OF_SUBSCRIPTION}, {1: sharing.OF_SUBSCRIPTION})) == []

    def test_of_one_clinic_are_bounded_however_many_subscriptions_it_has(self) -> None:
        rows = [each for key in range(20) for each in waiting(1, key, 6)]

        assert len(choose(rows)) == sharing.OF_ORGANIZATION

    def test_of_failing_receivers_leave_half_to_the_others(self) -> None:
        rows = [each for key in range(100) for each in waiting(key, key, 2, is_failing=True)]

        assert len(choose(rows)) == sharing.OF_FAILING
        assert len(choose(rows + waiting(1000, 1000, 6))) == sharing.OF_FAILING + 6

    def test_stop_at_the_ceiling(self) -> None:
        assert len(choose(waiting(1, 1, 6), allowance=2)) == 2
        assert choose(waiting(1, 1, 6), allowance=0) == []


class TestTheCeiling:
    def test_counts_what_began_in_the_window(self) -> None:
        begun = [NOON - timedelta(seconds=1)] * 30 + [NOON - timedelta(seconds=7)] * 40

        assert sharing.allowance(begun, now=NOON) == 20
        assert sharing.allowance([NOON] * 60, now=NOON) == 0
        assert sharing.allowance([], now=NOON) == 50


class TestTheSchedule:
    @pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
    def test_ends_within_a_day(self, chance: float) -> None:
        at = first = NOON
        for attempts in range(1, retries.MOST_ATTEMPTS):
            at = retries.next_attempt(at, attempts=attempts, chance=chance)

        assert timedelta(hours=20, minutes=51, seconds=54) <= at - first <= timedelta(hours=23, minutes=11)
        assert retries.next_attempt(at, attempts=retries.MOST_ATTEMPTS, chance=chance) is None

    def test_gives_up_after_five_days_and_ten_failures(self) -> None:
        streak = retries.Streak(9, NOON - timedelta(days=5))

        assert not streak.is_hopeless(NOON)
        assert streak.failed(NOON).is_hopeless(NOON)
        assert not retries.Streak(50, NOON - timedelta(days=4, hours=23)).is_hopeless(NOON)
        assert retries.Streak().failed(NOON) == retries.Streak(1, NOON)
