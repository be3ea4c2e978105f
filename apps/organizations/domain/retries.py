"""When a failed delivery is tried again, and when a subscription is given up. Source: contract/organizations.md 1.7."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=16),
)
#: A delay is shortened by up to this part of itself, so that what failed together does not return together.
SHORTENED = 0.1
MOST_ATTEMPTS = len(DELAYS) + 1
GIVEN_UP_AFTER, GIVEN_UP_FAILURES = timedelta(days=5), 10


def next_attempt(after: datetime, *, attempts: int, chance: float) -> datetime | None:
    """Return when the next attempt is due, None after the sixth.

    `after` is when the latest of `attempts` scheduled ones began; `chance` is random, 0 to 1.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    return after + DELAYS[attempts - 1] * (1 - SHORTENED * chance)


@dataclass(frozen=True, slots=True)
class Streak:
    """Failed attempts since the last success: how many, and when the first began."""

    failures: int = 0
    since: datetime | None = None

    def failed(self, at: datetime) -> Streak:
        """Return the streak with one more failure."""
        return replace(self, failures=self.failures + 1, since=self.since or at)

    def is_hopeless(self, at: datetime) -> bool:
        """Tell whether the receiver has failed for five days, and ten times at least."""
        return self.since is not None and at - self.since >= GIVEN_UP_AFTER and self.failures >= GIVEN_UP_FAILURES
