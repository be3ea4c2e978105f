"""How many requests a person or an address may make, exactly, and the headers that say so.

A limit is a number of requests in a window that begins with the first of them. All limits of one request are judged by
one script on the shared cache, in one step and on its clock, so parallel clients and processes cannot slip past; a
request that one limit refuses uses up none of the others.
Source: contract/conventions.md, "Rate limits"; scheduling.md 2.4.
"""

from __future__ import annotations

import hashlib
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings
from redis.exceptions import NoScriptError

from restartix.kernel.errors import RateLimited
from restartix.variables import Rate

logger = logging.getLogger("restartix.api")

#: While the shared cache is down it is asked again this often, so that no request waits for it in vain.
RETRY_SHARED_SECONDS = 1.0
_ALARM_SECONDS = 30.0
#: Where a request keeps what the limits said about it.
VERDICT = "restartix.verdict"
_LARGEST_LOCAL = 50_000

#: KEYS: one a bucket. ARGV: limit and window in milliseconds of each. Returns 1 or 0, then count and milliseconds left
#: of each.
_SCRIPT = """
local admitted, counts, left = 1, {}, {}
for i, key in ipairs(KEYS) do
  counts[i] = tonumber(redis.call('GET', key) or '0')
  if counts[i] >= tonumber(ARGV[2 * i - 1]) then admitted = 0 end
end
local answer = {admitted}
for i, key in ipairs(KEYS) do
  if admitted == 1 then
    counts[i] = redis.call('INCR', key)
    if counts[i] == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
  end
  left[i] = redis.call('PTTL', key)
  answer[2 * i], answer[2 * i + 1] = counts[i], left[i]
end
return answer
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of its own that an operation declares: `Limit("hold", "20/m")`.

    Counted for the caller, or for what `by` returns from the path's values (`lambda kwargs: f"org:{kwargs['id']}"`).
    The setting BOOKING_LIMITS overrides the rate by `name`.
    """

    name: str
    rate: str
    by: Callable[[Mapping[str, Any]], str] | None = None
    #: Which operation it is, where another one has the same rate and a counter of its own.
    of: str = ""

    @property
    def effective(self) -> Rate:
        """The rate, by the settings or as declared."""
        configured: Rate | None = settings.BOOKING_LIMITS.get(self.name)
        return configured or Rate.parse(self.rate)

    def bucket(self, caller: str, kwargs: Mapping[str, Any]) -> Bucket:
        """Return the counter for this caller."""
        name = f"{self.name}-{self.of}" if self.of else self.name
        return Bucket(f"{name}:{self.by(kwargs) if self.by else caller}", self.effective)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One counter: its key and its rate."""

    key: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits said: whether the request may go on, and the limit that is nearest to exhaustion."""

    admitted: bool
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_seconds),
        }

    def check(self) -> None:
        """Raise RateLimited (429) if the request may not go on."""
        if not self.admitted:
            raise RateLimited(headers={"Retry-After": str(max(self.reset_seconds, 1))})


def general_bucket(*, subject: str | None, network: str) -> Bucket:
    """Return the general limit: by user, or by address where nobody is signed in."""
    if subject is not None:
        return Bucket(f"user:{subject}", settings.RATE_LIMIT_USER)
    return Bucket(f"ip:{network}", settings.RATE_LIMIT_PUBLIC)


def judge(buckets: Sequence[Bucket]) -> Verdict:
    """Count one request in every bucket, or, if one of them is full, in none."""
    answer = shared().judge(buckets)
    return _verdict(buckets, answer)


def peek(bucket: Bucket) -> Verdict:
    """Tell how a bucket stands without counting anything."""
    count, milliseconds = shared().peek(bucket)
    return _verdict([bucket], [1, count, milliseconds])


def _verdict(buckets: Sequence[Bucket], answer: Sequence[int]) -> Verdict:
    states = [
        (max(bucket.rate.limit - answer[2 * i + 1], 0), bucket.rate.limit, _seconds(answer[2 * i + 2], bucket.rate))
        for i, bucket in enumerate(buckets)
    ]
    admitted = bool(answer[0])
    full = [state for state in states if state[0] == 0] if not admitted else []
    remaining, limit, reset = max(full, key=lambda state: state[2]) if full else min(states)
    return Verdict(admitted, limit, remaining, reset)


def _seconds(milliseconds: int, rate: Rate) -> int:
    return math.ceil(milliseconds / 1000) if milliseconds >= 0 else rate.seconds


class LocalCounters:
    """Counters of this process alone: what is left of the limits while the shared cache is down."""

    def __init__(self) -> None:
        """Begin with none."""
        self._windows: dict[str, tuple[float, int]] = {}
        self._lock = threading.Lock()

    def judge(self, buckets: Sequence[Bucket]) -> list[int]:
        """Do what the script does."""
        now = time.monotonic()
        with self._lock:
            if len(self._windows) > _LARGEST_LOCAL:
                self._windows = {key: window for key, window in self._windows.items() if window[0] > now}
            windows = [self._window(bucket, now) for bucket in buckets]
            admitted = all(count < bucket.rate.limit for bucket, (_, count) in zip(buckets, windows, strict=True))
            answer = [int(admitted)]
            for bucket, (ends, count) in zip(buckets, windows, strict=True):
                self._windows[bucket.key] = (ends, count + admitted)
                answer += [count + admitted, int((ends - now) * 1000)]
        return answer

    def peek(self, bucket: Bucket) -> tuple[int, int]:
        """Return count and milliseconds left."""
        now = time.monotonic()
        ends, count = self._window(bucket, now)
        return count, int((ends - now) * 1000)

    def _window(self, bucket: Bucket, now: float) -> tuple[float, int]:
        ends, count = self._windows.get(bucket.key, (0.0, 0))
        return (ends, count) if ends > now else (now + bucket.rate.seconds, 0)


class SharedCounters:
    """Counters in the shared cache, with those of this process behind them.

    Each thread has a connection of its own: the pool of the client library would cost more than the request itself.
    """

    def __init__(self, url: str) -> None:
        """Connect to `url` when first asked."""
        self._pool = redis.ConnectionPool.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, protocol=2)
        self._sha = hashlib.sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()
        self._threads = threading.local()
        self._local = LocalCounters()
        self._down_until = self._alarmed_at = float("-inf")

    def judge(self, buckets: Sequence[Bucket]) -> list[int]:
        """Count by the script, or locally while the cache is down."""
        keys = [f"rl:{bucket.key}" for bucket in buckets]
        rates = [number for bucket in buckets for number in (bucket.rate.limit, bucket.rate.seconds * 1000)]
        answer = self._try(lambda: self._run(len(keys), *keys, *rates))
        return [int(number) for number in answer] if answer is not None else self._local.judge(buckets)

    def _run(self, *arguments: Any) -> Any:
        try:
            return self._ask("EVALSHA", self._sha, *arguments)
        except NoScriptError:
            return self._ask("EVAL", _SCRIPT, *arguments)

    def peek(self, bucket: Bucket) -> tuple[int, int]:
        """Return count and milliseconds left."""
        key = f"rl:{bucket.key}"
        answer = self._try(lambda: (self._ask("GET", key), self._ask("PTTL", key)))
        return (int(answer[0] or 0), int(answer[1])) if answer is not None else self._local.peek(bucket)

    def _ask(self, *command: Any) -> Any:
        """Ask on the thread's connection; one that the other side has closed meanwhile is opened again."""
        connection = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = self._pool.make_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        except redis.ConnectionError:
            connection.disconnect()
            connection.send_command(*command)
            return connection.read_response()
        except redis.TimeoutError:
            connection.disconnect()  # the late answer must not be taken for the next one's
            raise

    def _try(self, ask: Callable[[], Any]) -> Any:
        if time.monotonic() < self._down_until:
            return None
        try:
            return ask()
        except redis.RedisError as error:
            self._down_until = time.monotonic() + RETRY_SHARED_SECONDS
            self._alarm(error)
            return None

    def _alarm(self, error: Exception) -> None:
        if time.monotonic() - self._alarmed_at > _ALARM_SECONDS:
            self._alarmed_at = time.monotonic()
            logger.error("the shared cache is down, rate limits are counted by each process alone: %s", error)


@cache
def shared() -> SharedCounters:
    """Return the counters of this process."""
    return SharedCounters(settings.REDIS_URL)
