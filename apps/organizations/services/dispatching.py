"""The sender of webhooks: takes what is due under a lease, sends it from threads, and writes down what came of it.

One process sends at a time (an advisory lock says which; another takes over when it dies), with many requests on the
wire. Threads only send: the loop alone speaks to the database, in short transactions, none of which is open while a
receiver is waited for. A sender that is killed leaves leases that run out; another one sends those deliveries again
under the same id. Shares and the ceiling: domain/sharing.py. Design: docs/explain/webhooks.md.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import OperationalError, connection

from apps.organizations.domain import sharing
from apps.organizations.models import AttemptKind
from apps.organizations.services import claiming, deliveries, outcomes, sending
from restartix.kernel.outbound.posting import Outcome, Poster
from restartix.kernel.tenancy import Actor, Scope, Trace, across_organizations

logger = logging.getLogger(__name__)
ACTOR = Actor.system("deliver_webhooks")
#: Key of the advisory lock of the one that sends.
LOCK = 7263784301
#: A run takes nothing new after this; the next one goes on.
RUN_SECONDS = 60.0
#: How often the loop looks for more while something is on the wire, or waits for its turn.
LOOK_SECONDS = 0.1
#: The database may be away so long (a restart) without an outcome being lost.
RECORD_PATIENCE_SECONDS = 15.0


def _across() -> AbstractContextManager[Scope]:
    return across_organizations(reason="send the webhooks of every clinic", actor=ACTOR, trace=Trace(source="task"))


@dataclass(slots=True)
class Sender:
    """One run: what is on the wire and how it is sent.

    `chance` shortens the delays of retries; `now`, the database's clock unless given, says what is due.
    """

    poster: Poster = field(default_factory=sending.poster)
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] | None = None
    run_seconds: float = RUN_SECONDS
    sent: int = 0
    _wire: dict[Future[Outcome], claiming.Claim] = field(default_factory=dict)

    def run(self, *, until: float) -> None:
        """Send what is due, until nothing is or the time is over (`until`, monotonic)."""
        with ThreadPoolExecutor(sharing.AT_ONCE, thread_name_prefix="webhook") as threads:
            while self._wire or (time.monotonic() < until and self.is_anything_due()):
                room = self._room() if time.monotonic() < until else 0
                claims = self._claim(room) if room else []
                for claim in claims:
                    self._wire[threads.submit(self._attempt, claim)] = claim
                self._finish(wait_seconds=LOOK_SECONDS if room else sharing.FRESH_SECONDS / 4)

    def _room(self) -> int:
        """Return how many more requests may go on the wire now."""
        recently = time.monotonic() - sharing.FRESH_SECONDS
        fresh = sum(claim.permitted > recently for claim in self._wire.values())
        return min(sharing.AT_ONCE - len(self._wire), sharing.FRESH_AT_ONCE - fresh)

    def is_anything_due(self) -> bool:
        """Tell whether something could be sent now, or could but for a ceiling."""
        with _across():
            return claiming.is_anything_due(at=self._at())

    def _claim(self, room: int) -> Sequence[claiming.Claim]:
        with _across():
            return claiming.claim(room, at=self._at())

    def _at(self) -> datetime | None:
        return self.now() if self.now else None

    def _attempt(self, claim: claiming.Claim) -> Outcome:
        """Send one; runs in a thread and touches no database, unless its turn has passed meanwhile."""
        return sending.send(claim.letter, by=self.poster, at=claim.at, before=claim.await_turn)

    def _finish(self, *, wait_seconds: float) -> None:
        """Wait a moment for outcomes, and write down those that have come."""
        if not self._wire:
            time.sleep(wait_seconds if self.is_anything_due() else 0)
            return
        done, _ = wait(self._wire, timeout=wait_seconds, return_when=FIRST_COMPLETED)
        over = [(self._wire.pop(future), future) for future in done]
        attempted = [_attempted(claim, future) for claim, future in over]
        if attempted:
            self._record([each for each in attempted if each is not None])
            self.sent += len(attempted)

    def _record(self, attempted: Sequence[outcomes.Attempted]) -> None:
        """Write outcomes down; a database that restarts is waited for, because the requests have been made."""
        end = time.monotonic() + RECORD_PATIENCE_SECONDS
        while True:
            try:
                with _across():
                    outcomes.record(attempted, chance=self.chance)
            except OperationalError:
                if time.monotonic() > end:
                    raise
                connection.close()
                time.sleep(LOOK_SECONDS)
            else:
                return


def _attempted(claim: claiming.Claim, future: Future[Outcome]) -> outcomes.Attempted | None:
    """Return what came of a claim; a mistake of ours is logged, and the lease lets it be tried again."""
    letter = claim.letter
    try:
        outcome = future.result()
    except Exception:
        logger.exception("delivery %s was not attempted", letter.delivery_id)
        return None
    return outcomes.Attempted(
        letter.delivery_id, letter.subscription_id, AttemptKind.SCHEDULED, claim.at, outcome, letter.token
    )


def run(sender: Sender | None = None) -> int:
    """Send what is due, unless somebody does already, and return how many attempts were made.

    Whoever is turned away may go: the one who sends looks again after letting go of the lock, as long as its time
    lasts; after that the next run, five seconds later at most, goes on.
    """
    sender = sender or Sender()
    stop = time.monotonic() + sender.run_seconds
    while True:
        with _alone() as is_alone:
            if not is_alone:
                return sender.sent
            deliveries.tidy()
            sender.run(until=stop)
        if time.monotonic() >= stop or not sender.is_anything_due():
            return sender.sent


@contextmanager
def _alone() -> Iterator[bool]:
    """Take the lock for the session, if it is free; a dead session lets it go."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
