"""How many streams watch a hold, over all processes.

Each has a place with a deadline in the shared cache, so that the places of a killed process become free.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

import redis

from restartix.environment import env

logger = logging.getLogger("restartix.streams")

#: Streams that may watch one hold. Source: contract/scheduling.md 3.4.
MOST = 3

_ENTER = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
redis.call('EXPIRE', KEYS[1], 3600)
return 1
"""


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(env.redis_url, socket_timeout=0.5, socket_connect_timeout=0.5)


def _key(hold_key: int) -> str:
    return f"restartix:watchers:{hold_key}"


def _deadline() -> float:
    return time.time() + env.hold_lease_seconds + 5


def enter(hold_key: int) -> str | None:
    """Take a place among the watchers of the hold and return its name; None if all are taken.

    While the shared cache is down everybody gets a place: the limit protects nothing that matters more than the stream.
    """
    place = uuid.uuid4().hex
    try:
        admitted = _client().eval(_ENTER, 1, _key(hold_key), time.time(), _deadline(), place, MOST)
    except redis.RedisError as error:
        logger.warning("watchers are not counted: %s", error)
        return place
    return place if admitted else None


def stay(places: Iterable[tuple[int, str]]) -> None:
    """Keep these places for another lease."""
    _quietly(lambda pipe: [pipe.zadd(_key(hold_key), {place: _deadline()}) for hold_key, place in places])


def leave(hold_key: int, place: str) -> None:
    """Give a place back."""
    _quietly(lambda pipe: pipe.zrem(_key(hold_key), place))


def _quietly(fill: Any) -> None:
    try:
        pipe = _client().pipeline(transaction=False)
        fill(pipe)
        pipe.execute()
    except redis.RedisError as error:
        logger.warning("watchers are not counted: %s", error)


def counted(hold_keys: Iterable[int]) -> dict[int, int]:
    """Return how many streams watch each of these holds now."""
    keys = list(hold_keys)
    try:
        pipe = _client().pipeline(transaction=False)
        for key in keys:
            pipe.zcount(_key(key), time.time(), "+inf")
        return dict(zip(keys, pipe.execute(), strict=True))
    except redis.RedisError:
        return {}
