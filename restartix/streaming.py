"""Open streams: answers that last minutes, and that end cleanly when the process stops.

A consumer sends as long as it likes. When the process stops, each stream's last chunk is sent for it; the server then
tells the consumer that its client is gone, and it cleans up as it always does.
"""

from __future__ import annotations

import logging

from restartix.gateway import App, Message, Receive, Scope, Send, refuse

logger = logging.getLogger("restartix.streams")

_LAST = {"type": "http.response.body", "body": b"", "more_body": False}


class Stream:
    """One answer in progress."""

    __slots__ = ("_send", "_streams", "finished", "started")

    def __init__(self, send: Send, streams: Streams) -> None:
        """Watch what passes through `send`."""
        self._send = send
        self._streams = streams
        self.started = False
        self.finished = False

    async def send(self, message: Message) -> None:
        """Pass a message on; after the end nothing is passed on any more."""
        if self.finished:
            return
        self.started = True
        if message["type"] == "http.response.body":
            if self._streams.stopping:
                message["more_body"] = False
            self.finished = not message.get("more_body", False)
        await self._send(message)

    async def end(self) -> None:
        """Send the last chunk, unless nothing was sent yet: then the first chunk will be the last."""
        if self.started and not self.finished:
            self.finished = True
            await self._send(_LAST)


class Streams:
    """All streams of this process."""

    def __init__(self) -> None:
        """Begin with none."""
        self._open: set[Stream] = set()
        self.stopping = False

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    async def serve(self, app: App, scope: Scope, receive: Receive, send: Send) -> None:
        """Let `app` answer, and see to it that the answer has an end whatever happens."""
        if self.stopping:
            await refuse(send, 503, "unavailable", "This server is about to stop: connect again.", retry_after=1)
            return
        stream = Stream(send, self)
        self._open.add(stream)
        try:
            await app(scope, receive, stream.send)
        except Exception:
            logger.exception("a stream broke", extra={"path": scope["path"]})
            if not stream.started:
                await refuse(stream.send, 500, "internal_error", "Something went wrong on our side.")
        finally:
            self._open.discard(stream)
            await stream.end()

    async def end_all(self) -> None:
        """End every stream; those that come later are refused with 503."""
        self.stopping = True
        for stream in list(self._open):
            await stream.end()


streams = Streams()
