"""What a request has to be before it takes one of the few worker threads.

Headers and address within bounds, header names that WSGI cannot confuse, and a body of ordinary size that has arrived
whole: a slow or endless sender costs a connection, never a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

import orjson

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_HEADER_BYTES = 16 * 1024
MAX_ADDRESS_BYTES = 8 * 1024
#: Bodies up to this size are read before a thread is taken; larger ones need a Content-Length and stream through.
MAX_READ_AHEAD_BYTES = 2 * 1024 * 1024
BODY_SECONDS = 30
_DRAINED_BYTES = 32 * 1024 * 1024


class TurnedAway(Exception):
    """The request is answered here and now; it never reaches Django."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Say with which status, code and message of the error envelope."""
        super().__init__(message)
        self.status = status
        self.code = code


def error_body(code: str, message: str, request_id: str) -> bytes:
    """Return the error envelope. Source: contract/conventions.md, "Errors"."""
    error = {"code": code, "message": message, "details": {}, "request_id": request_id}
    return orjson.dumps({"error": error})


async def refuse(send: Send, status: int, code: str, message: str, *, retry_after: int = 0) -> None:
    """Answer with the error envelope; what is still on its way in is read and dropped by the server."""
    request_id = uuid4().hex
    content = error_body(code, message, request_id)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-request-id", request_id.encode()),
    ]
    if status == 408:
        headers.append((b"connection", b"close"))
    if retry_after:
        headers.append((b"retry-after", str(retry_after).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class Gateway:
    """Lets requests through to the WSGI application once they are worth a thread."""

    def __init__(self, app: App) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, complete, pass on; or answer 408, 413, 414 or 431 in the error envelope."""
        try:
            cleaned = admitted(scope)
            receive = await _body_in_reach(cleaned, receive)
        except TurnedAway as reason:
            await refuse(send, reason.status, reason.code, str(reason))
            return
        await self._app(cleaned, receive, send)


def admitted(scope: Scope) -> Scope:
    """Return a copy of `scope` with headers that WSGI cannot confuse. Raises TurnedAway (414, 431)."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
        raise TurnedAway(414, "uri_too_long", "The address is too long.")
    headers = scope["headers"]
    if sum(len(name) + len(value) for name, value in headers) > MAX_HEADER_BYTES:
        raise TurnedAway(431, "headers_too_large", "The headers are too large.")
    # WSGI turns `-` into `_`: a name sent with `_` could pose as one that a proxy sets or removes.
    clean = [(name, value) for name, value in headers if b"_" not in name]
    return {**scope, "headers": clean}


async def _body_in_reach(scope: Scope, receive: Receive) -> Receive:
    """Return a `receive` whose body is here, or comes with a deadline if it is large. Raises TurnedAway (408, 413)."""
    names = dict(scope["headers"])
    length = names.get(b"content-length")
    if length is None and b"transfer-encoding" not in names:
        return receive
    if length is not None and length.isdigit() and int(length) > MAX_READ_AHEAD_BYTES:
        return _impatient(receive)
    try:
        body = await asyncio.wait_for(_whole(receive), BODY_SECONDS)
    except TimeoutError:
        raise TurnedAway(408, "request_timeout", f"The body did not arrive within {BODY_SECONDS} s.") from None
    if length is None:
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"transfer-encoding"]
        scope["headers"].append((b"content-length", str(len(body)).encode()))
    return _replaying(body, receive)


async def _whole(receive: Receive) -> bytes:
    """Read the body. One that is too large is read on for a while, so that its sender comes to read the refusal."""
    parts: list[bytes] = []
    size = 0
    more = True
    while more and size < _DRAINED_BYTES:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        parts = [*parts, part] if size <= MAX_READ_AHEAD_BYTES else []
        more = message.get("more_body", False)
    if size > MAX_READ_AHEAD_BYTES:
        raise TurnedAway(413, "payload_too_large", "A body of this size has to announce its Content-Length.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives `body` at first and then what the server says."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _impatient(receive: Receive) -> Receive:
    """Return a `receive` that takes a silence of `BODY_SECONDS` for a disconnect."""

    async def hurry() -> Message:
        try:
            return await asyncio.wait_for(receive(), BODY_SECONDS)
        except TimeoutError:
            return {"type": "http.disconnect"}

    return hurry
