"""How the sender's attention is shared: round robin over clinics and their subscriptions, with a ceiling for each.

A receiver that hangs keeps a thread for fifteen seconds. So that it cannot keep many, a subscription has few at a time,
one that keeps failing fewer still, and all failing ones together at most half of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Attempts that one process has on the wire at once; shares of one subscription, one clinic, and all failing ones.
AT_ONCE = 64
#: Of these, begun within the last moment (seconds): quick receivers are better served by few requests at a time, for
#: what has arrived and is not yet written down is what a killed sender repeats. Slow ones add up to the whole.
FRESH_AT_ONCE, FRESH_SECONDS = 4, 0.05
OF_SUBSCRIPTION, OF_FAILING_SUBSCRIPTION = 6, 2
OF_ORGANIZATION = 16
OF_FAILING = AT_ONCE // 2
#: A subscription counts as failing after so many failures in a row.
FAILING_AFTER = 3

#: The ceiling: attempts of one clinic that may begin in any window of so many seconds.
CEILING, WINDOW = 50, timedelta(seconds=5)
#: Between the permission and the request's arrival lie a commit, the resolver and the network: the window is so much
#: wider, and a permission that was not used within this time is asked for again.
SLACK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is due."""

    delivery_id: int
    organization_id: int
    subscription_id: int
    due: datetime
    is_failing: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """Attempts that are on the wire now, by subscription, by organization, and of failing subscriptions."""

    subscriptions: Mapping[int, int]
    organizations: Mapping[int, int]
    failing: int = 0


def allowance(begun: Iterable[datetime], *, now: datetime) -> int:
    """Return how many attempts of a clinic may begin now, after those that have `begun`."""
    return max(CEILING - sum(instant > now - WINDOW - SLACK for instant in begun), 0)


def within_shares(waiting: Iterable[Waiting], *, busy: Busy) -> list[Waiting]:
    """Return of each subscription's queue, oldest first, as many as its share leaves beside what is on the wire."""
    taken, kept = Counter(busy.subscriptions), []
    for each in sorted(waiting, key=lambda each: (each.due, each.delivery_id)):
        if taken[each.subscription_id] < (OF_FAILING_SUBSCRIPTION if each.is_failing else OF_SUBSCRIPTION):
            taken[each.subscription_id] += 1
            kept.append(each)
    return kept


def choose(waiting: Sequence[Waiting], *, busy: Busy, allowances: Mapping[int, int], room: int) -> list[Waiting]:
    """Return at most `room` deliveries, in the order of their turns, within every share and allowance."""
    chosen: list[Waiting] = []
    of_organization, failing = Counter(busy.organizations), busy.failing
    left = dict(allowances)
    for each in _in_turn(waiting, busy):
        organization = each.organization_id
        if len(chosen) >= room:
            break
        if of_organization[organization] >= OF_ORGANIZATION or left.get(organization, 0) < 1:
            continue
        if each.is_failing and failing >= OF_FAILING:
            continue
        chosen.append(each)
        of_organization[organization] += 1
        left[organization] -= 1
        failing += each.is_failing
    return chosen


def _in_turn(waiting: Sequence[Waiting], busy: Busy) -> list[Waiting]:
    """Order by turns: first everybody's first, then everybody's second; what is on the wire has had its turn."""
    by_subscription: dict[int, list[Waiting]] = defaultdict(list)
    for each in sorted(waiting, key=lambda each: (each.due, each.delivery_id)):
        by_subscription[each.subscription_id].append(each)
    by_organization: dict[int, list[tuple[int, Waiting]]] = defaultdict(list)
    for key, own in by_subscription.items():
        for turn, each in enumerate(own, busy.subscriptions.get(key, 0)):
            by_organization[each.organization_id].append((turn, each))
    placed: list[tuple[int, datetime, Waiting]] = []
    for key, turns in by_organization.items():
        turns.sort(key=lambda pair: (pair[0], pair[1].due))
        first = busy.organizations.get(key, 0)
        placed += [(place, each.due, each) for place, (_, each) in enumerate(turns, first)]
    return [each for *_, each in sorted(placed, key=lambda place: place[:2])]
