"""Server-sent events through Channels: a consumer that keeps its answer open, and hints from any thread to all of them.

Channels' own AsyncHttpConsumer ends its answer when `handle` returns; this one stays until the client goes or `finish`.
Source: WHATWG HTML, "Server-sent events".
"""

from __future__ import annotations

import asyncio
import io
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from asgiref.sync import async_to_sync
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer
from channels.layers import get_channel_layer
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation

from restartix.kernel.api.envelope import dumps
from restartix.kernel.api.middleware import ApiMiddleware

logger = logging.getLogger("restartix.streams")

#: How long EventSource waits before it connects again.
RETRY_MILLISECONDS = 3000
HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_loop: asyncio.AbstractEventLoop | None = None


def adopt_loop() -> None:
    """Remember the running event loop, on which this process's streams live; threads publish through it."""
    global _loop
    if _loop is None:
        _loop = asyncio.get_running_loop()


def publish(messages: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    """Send each message to its group, in every process; never fails, for a message is only a hint.

    Callable from any thread. Where no event loop serves (workers, commands), waits until they are sent.
    """
    batch = list(messages)
    if _loop is not None and _loop.is_running():
        asyncio.run_coroutine_threadsafe(_send(batch), _loop)
        return
    if _is_inside_a_loop():  # somebody else's: wait for nothing there
        threading.Thread(target=async_to_sync(_send), args=(batch,)).start()
        return
    async_to_sync(_send)(batch)


def _is_inside_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def _send(messages: list[tuple[str, Mapping[str, Any]]]) -> None:
    try:
        layer = get_channel_layer()
        for group, message in messages:
            await layer.group_send(group, dict(message))
    except Exception as error:  # noqa: BLE001 (a broker that is down costs streams seconds, and nobody else anything)
        logger.warning("hints were lost: %s", error)


class Ticket(HttpResponse):
    """A view's consent to a stream: what the consumer needs, and a body for servers that cannot stream.

    Behind a plain WSGI server the body is the first event alone; EventSource then connects again every few seconds,
    which makes a poll of it.
    """

    def __init__(self, stream: Any, first: bytes = b"") -> None:
        """Carry `stream` to the consumer."""
        super().__init__(f"retry: {RETRY_MILLISECONDS}\n".encode() + first, headers=HEADERS)
        self.stream = stream


def event(name: str, data: Mapping[str, Any], key: int | None = None) -> bytes:
    """Return one event as it goes over the wire: id, name, one line of JSON."""
    head = b"" if key is None else b"id: %d\n" % key
    return head + b"event: " + name.encode() + b"\ndata: " + dumps(data) + b"\n\n"


class EventStream(AsyncHttpConsumer):
    """A stream of events; the view of the same path decides whether it may begin."""

    #: The view that answers this path under WSGI; it gives a Ticket or refuses as every operation does.
    view: Callable[..., HttpResponseBase]
    groups_joined: tuple[str, ...] = ()
    is_open = False

    async def handle(self, body: bytes) -> None:
        """Ask the view, then begin the stream or pass on its refusal."""
        response = await database_sync_to_async(self._asked, thread_sensitive=False)()
        headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
        await self.send_headers(status=response.status_code, headers=headers)
        if not isinstance(response, Ticket):
            await self.send_body(response.content)
            return
        self.is_open = True
        await self.send_body(b"retry: %d\n\n" % RETRY_MILLISECONDS, more_body=True)
        await self.begin(response.stream)

    def _asked(self) -> HttpResponseBase:
        request = ASGIRequest(self.scope, io.BytesIO())
        kwargs = self.scope["url_route"]["kwargs"]
        return ApiMiddleware(lambda asked: type(self).view(asked, **kwargs))(request)

    async def begin(self, stream: Any) -> None:
        """Send the first event and join what brings the others."""
        raise NotImplementedError

    async def end(self) -> None:
        """Clean up after the client has gone or the stream was finished."""

    async def join(self, *groups: str) -> None:
        """Receive what is published to these groups; a broker that is down costs only the hints."""
        self.groups_joined = groups
        try:
            for group in groups:
                await self.channel_layer.group_add(group, self.channel_name)
        except Exception as error:  # noqa: BLE001
            logger.warning("a stream gets no hints: %s", error)

    async def send_event(self, name: str, data: Mapping[str, Any], key: int | None = None) -> None:
        """Send one event."""
        if self.is_open:
            await self.send_body(event(name, data, key), more_body=True)

    async def finish(self) -> None:
        """End the answer; the client's disconnect then cleans up."""
        if self.is_open:
            self.is_open = False
            await self.send_body(b"")

    async def http_request(self, message: Mapping[str, Any]) -> None:
        """Begin once the request is complete, and stay."""
        if not message.get("more_body"):
            await self.handle(b"")

    async def http_disconnect(self, message: Mapping[str, Any]) -> None:
        """Leave the groups and end."""
        self.is_open = False
        try:
            await self.end()
            for group in self.groups_joined:
                await self.channel_layer.group_discard(group, self.channel_name)
        except Exception as error:  # noqa: BLE001 (a broker that is down must not keep the consumer alive)
            logger.warning("a stream ended untidily: %s", error)
        raise StopConsumer


@cache
def _pages() -> BaseHandler:
    """Return what answers every page: the whole chain of middleware, then the view of the path."""
    handler = BaseHandler()
    handler.load_middleware()
    return handler


class PageStream(EventStream):
    """A stream that a page watches: whoever may open the page of the same path may begin it, by the same session."""

    def _asked(self) -> HttpResponseBase:
        before = translation.get_language()
        try:
            response = _pages().get_response(ASGIRequest(self.scope, io.BytesIO()))
            if isinstance(response, Ticket):
                del response["Content-Length"]  # that of the first line alone
            return response
        finally:  # the thread goes on to serve others, in no language yet
            translation.activate(before) if before else translation.deactivate()
