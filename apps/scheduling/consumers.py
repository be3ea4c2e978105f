"""The streams that tell a visitor what becomes of a hold and of the times on a page, and the desk that a board changed.

Source: contract/scheduling.md 3.4, 4.

One renewer a process renews the holds of all its open streams in one statement; a stream holds no database connection.
Hints from other processes only make it look sooner: what a stream says last is read from the row.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import sys
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from django.urls import path

import restartix.kernel.api.converters  # noqa: F401 (makes `<uid:...>` known)
from apps.scheduling.api import watchers, watching
from apps.scheduling.api.hints import group_of_board
from apps.scheduling.api.public import Holds, Timeslots
from apps.scheduling.api.watching import Watched, event_key, instant
from apps.scheduling.models import Hold
from apps.scheduling.services import holds
from restartix.environment import env
from restartix.kernel import clock
from restartix.kernel.streams import EventStream, PageStream
from restartix.kernel.tenancy import Actor, Trace, across_organizations

logger = logging.getLogger("restartix.streams")

ACTOR = Actor.system("hold_streams")
#: After a failure of the database the renewer looks again so soon.
RETRY_SECONDS = 1.0
#: Renewals that fall due within this time share a statement.
BATCH_SECONDS = 0.2
#: A page that only browses is told that the line is alive this often, and has to connect again after LIFE_SECONDS.
COMMENT_SECONDS, LIFE_SECONDS = 15.0, 900.0
#: A board is told at once, and then of everything within this time together.
QUIET_SECONDS = 0.25


def _group_of_specialist(number: int) -> str:
    """Return the group's name: one text for all streams, of which there are thousands."""
    return sys.intern(f"specialist-{number}")


class HoldStream(EventStream):
    """The stream of one hold: it lives as long as the hold, which lives as long as a stream renews it."""

    view = staticmethod(Holds.as_view({"get": "stream"}))
    watched: Watched
    last_id = 0

    async def begin(self, stream: Watched) -> None:
        """Send the snapshot and have the hold renewed from now on."""
        self.watched = stream
        snapshot, stream.snapshot = stream.snapshot or {}, None
        await self.tell("snapshot", snapshot)
        specialists, stream.specialists = stream.specialists, ()
        await self.join(f"hold-{stream.hold_id.replace('-', '')}", *map(_group_of_specialist, specialists))
        RENEWER.add(self)

    async def end(self) -> None:
        """Give the place among the watchers back; the last renewal of the hold stands."""
        if hasattr(self, "watched"):
            RENEWER.remove(self)
            await asyncio.to_thread(watchers.leave, self.watched.key, self.watched.place)

    async def tell(self, name: str, data: Any) -> None:
        """Send an event with the next id."""
        self.last_id = event_key(after=self.last_id)
        await self.send_event(name, data, self.last_id)

    async def renewed(self, expires_at: datetime) -> None:
        """Report a renewal, and once that the cap is near."""
        watched = self.watched
        watched.expires_at = expires_at
        ends = {"expires_at": instant(expires_at), "max_expires_at": instant(watched.max_expires_at)}
        await self.tell("heartbeat", ends)
        left = (watched.max_expires_at - clock.now()).total_seconds()
        if not watched.warned and clock.now() >= watched.warns_at:
            watched.warned = True
            await self.tell("expiring", {"expires_at": ends["max_expires_at"], "seconds_left": max(round(left), 0)})

    async def ended(self, last: bytes) -> None:
        """Send the last event and close."""
        if self.is_open:
            await self.send_body(last, more_body=True)
            await self.finish()

    async def hold_changed(self, message: dict[str, Any]) -> None:
        """Look at the hold at once: it was renewed elsewhere or has ended."""
        RENEWER.hurry(self)

    async def slot_changed(self, message: dict[str, Any]) -> None:
        """Tell of time that changed hands, the hold's own excepted."""
        if message["hold_id"] != self.watched.hold_id:
            await self.tell("slot", message["slot"])


class Watching(EventStream):
    """A stream that somebody only watches: it says that it is alive, and ends after a while to be opened again."""

    timer: asyncio.TimerHandle | None = None
    begun = 0.0

    def stay_alive(self) -> None:
        """Begin to count."""
        self.begun = asyncio.get_running_loop().time()
        self._later()

    def _later(self) -> None:
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(COMMENT_SECONDS, lambda: loop.create_task(self._still_here()))

    async def _still_here(self) -> None:
        if not self.is_open:
            return
        if asyncio.get_running_loop().time() - self.begun >= LIFE_SECONDS:
            await self.finish()
            return
        await self.send_body(b": still here\n\n", more_body=True)
        self._later()

    async def end(self) -> None:
        """Stop the clock."""
        if self.timer is not None:
            self.timer.cancel()


class TimeslotStream(Watching):
    """The stream of a page that only browses."""

    view = staticmethod(Timeslots.as_view({"get": "stream"}))

    async def begin(self, stream: tuple[int, ...]) -> None:
        """Say that from now on changes are told."""
        await self.join(*map(_group_of_specialist, stream))
        await self.send_event("ready", {"specialist_ids": list(stream)})
        self.stay_alive()

    async def slot_changed(self, message: dict[str, Any]) -> None:
        """Tell of time that changed hands."""
        await self.send_event("slot", message["slot"])


class BoardStream(PageStream, Watching):
    """The stream of an open board: says that something of the clinic changed and never what; the page looks again.

    So nobody is told more here than the page shows them.
    """

    told = 0.0
    due: asyncio.TimerHandle | None = None

    async def begin(self, stream: int) -> None:
        """Say that from now on changes are told; whatever happened before this moment, the page has to look for."""
        await self.join(group_of_board(stream))
        await self.send_event("ready", {})
        self.stay_alive()

    async def end(self) -> None:
        """Stop both clocks."""
        await super().end()
        if self.due is not None:
            self.due.cancel()

    async def board_changed(self, message: dict[str, Any]) -> None:
        """Tell at once; what follows closely is told together a moment later."""
        if self.due is not None:
            return
        loop = asyncio.get_running_loop()
        wait = self.told + QUIET_SECONDS - loop.time()
        if wait <= 0:
            await self._tell()
        else:
            self.due = loop.call_later(wait, lambda: loop.create_task(self._tell()))

    async def _tell(self) -> None:
        self.due, self.told = None, asyncio.get_running_loop().time()
        await self.send_event("changed", {})


class Renewer:
    """Renews the holds of every open stream of this process, those due together in one statement."""

    def __init__(self) -> None:
        """Begin with no stream."""
        self._due: list[tuple[float, int, HoldStream]] = []
        self._at: dict[HoldStream, float] = {}
        self._numbers = itertools.count()
        self._task: asyncio.Task[None] | None = None
        self._wake: asyncio.Event | None = None

    def add(self, stream: HoldStream) -> None:
        """Renew the hold of `stream` from now on."""
        self._schedule(stream, self._next(stream.watched))
        if self._task is None or self._task.done():
            self._wake = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._run())

    def remove(self, stream: HoldStream) -> None:
        """Renew it no more."""
        self._at.pop(stream, None)

    def hurry(self, stream: HoldStream) -> None:
        """Look at its hold at once."""
        if stream in self._at:
            self._schedule(stream, 0.0)

    def _schedule(self, stream: HoldStream, seconds: float) -> None:
        at = asyncio.get_running_loop().time() + seconds
        self._at[stream] = at
        heapq.heappush(self._due, (at, next(self._numbers), stream))
        if self._wake is not None:
            self._wake.set()

    @staticmethod
    def _next(watched: Watched) -> float:
        """Return the seconds until something is due: a renewal, the warning, or the end at the cap."""
        now = clock.now()
        moments = [float(env.hold_renew_seconds), (watched.max_expires_at - now).total_seconds() + 0.05]
        if not watched.warned and watched.warns_at > now:
            moments.append((watched.warns_at - now).total_seconds() + 0.05)
        return max(min(moments), 0.0)

    async def _run(self) -> None:
        assert self._wake is not None
        while self._at:
            self._wake.clear()
            batch = self._take()
            if batch:
                await self._renew(batch)
                continue
            wait = self._due[0][0] - asyncio.get_running_loop().time() if self._due else None
            try:
                await asyncio.wait_for(self._wake.wait(), wait if wait is None else max(wait, 0.01))
            except TimeoutError:
                continue

    def _take(self) -> list[HoldStream]:
        """Take the streams that are due now or within the batch time, once each, if any is due now."""
        now = asyncio.get_running_loop().time()
        if not self._due or self._due[0][0] > now:
            return []
        taken: dict[HoldStream, None] = {}
        while self._due and self._due[0][0] <= now + BATCH_SECONDS:
            at, _, stream = heapq.heappop(self._due)
            if self._at.get(stream) == at:
                taken[stream] = None
        return list(taken)

    async def _renew(self, batch: list[HoldStream]) -> None:
        places = [(stream.watched.key, stream.watched.place) for stream in batch]
        try:
            renewed, ended = await database_sync_to_async(_renew, thread_sensitive=False)(places)
        except Exception as error:  # noqa: BLE001 (the database is down: streams stay and try again)
            logger.warning("holds could not be renewed: %s", error)
            for stream in batch:
                self._schedule_if_open(stream, RETRY_SECONDS)
            return
        await asyncio.gather(*(self._report(stream, renewed, ended) for stream in batch), return_exceptions=True)

    async def _report(self, stream: HoldStream, renewed: dict[int, datetime], ended: dict[int, bytes]) -> None:
        key = stream.watched.key
        if key in renewed:
            await stream.renewed(renewed[key])
            self._schedule_if_open(stream, self._next(stream.watched))
        else:
            self.remove(stream)
            await stream.ended(ended.get(key, b""))

    def _schedule_if_open(self, stream: HoldStream, seconds: float) -> None:
        if stream in self._at:
            self._schedule(stream, seconds)


RENEWER = Renewer()


def _renew(places: list[tuple[int, str]]) -> tuple[dict[int, datetime], dict[int, bytes]]:
    """Renew the holds and return the new ends of the living and the last events of the others."""
    keys = [key for key, _ in places]
    with across_organizations(reason="renew watched holds", actor=ACTOR, trace=Trace(source="task")):
        renewed = holds.renew_all(keys)
        over = Hold.objects.select_related("appointment").filter(pk__in=[key for key in keys if key not in renewed])
        ended = {held.pk: watching.last_event(held) for held in over}
    watchers.stay((key, place) for key, place in places if key in renewed)
    return renewed, ended


urlpatterns = [
    path("v1/scheduling/holds/<uid:hold_id>/stream", HoldStream.as_asgi()),
    path("v1/scheduling/timeslots/stream", TimeslotStream.as_asgi()),
    path("admin/today/stream/", BoardStream.as_asgi()),
]
