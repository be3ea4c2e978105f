"""Daily, the video provider: rooms and personal tokens over its REST API, with the clinic's own key.

    POST /rooms            make a room            POST /rooms/:name     change it
    DELETE /rooms/:name    remove it              POST /meeting-tokens  let one person in

Errors are `{"error": kind, "info": text}`; a room whose time is over counts as deleted, 404. Every call goes to an
address that was resolved once and judged, within a deadline. Neither the key nor a token is logged.
Source: contract/scheduling.md 1.2 (Rooms); https://docs.daily.co/reference/rest-api; docs/operate/video.md.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.scheduling.domain.rooms import MOST_PARTICIPANTS, Guest, Part, ProviderFailed, Wanted
from restartix.environment import env
from restartix.kernel.outbound.addresses import Address, is_loopback, is_public, literal_of
from restartix.kernel.outbound.posting import Poster, Reply
from restartix.kernel.outbound.resolving import resolver

#: One call; keeping a room takes three at most.
TIMEOUT_SECONDS = 6.0
LONGEST_ADDRESS = 500
#: What recording is called at Daily: kept by Daily, for the clinic's account.
CLOUD = "cloud"


class Daily:
    """Daily with one clinic's key."""

    def __init__(self, key: str) -> None:
        """Call with this key."""
        self._key = key

    def keep(self, room: Wanted, *, may_exist: bool) -> str:
        """Make the room or change it, whichever it takes; return its address.

        A room of that name that we know nothing of (the answer to an earlier call was lost) is changed like our own.
        Where recording cannot be switched off in place the room is made anew. Raises ProviderFailed.
        """
        body = {"privacy": "private", "properties": _properties(room)}
        made = self._change(room.name, body) if may_exist else None
        made = made or self._make(room.name, body)
        if _records(made) and not room.records:
            self.remove(room.name)
            made = self._make(room.name, body)
            if _records(made):
                raise ProviderFailed("rooms of this account record, whatever is asked of them")
        return _address(made)

    def _make(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        status, answer = self._call("POST", "/rooms", {"name": name, **body})
        if status == HTTPStatus.BAD_REQUEST:  # also said of a name that is taken
            changed = self._change(name, body)
            if changed is not None:
                return changed
        return _good(status, answer)

    def _change(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Change the room, give None if there is none."""
        status, answer = self._call("POST", f"/rooms/{name}", body)
        return None if status == HTTPStatus.NOT_FOUND else _good(status, answer)

    def remove(self, name: str) -> None:
        """Remove the room and everybody from it. Raises ProviderFailed."""
        status, answer = self._call("DELETE", f"/rooms/{name}")
        if status != HTTPStatus.NOT_FOUND:
            _good(status, answer)

    def admit(self, guest: Guest) -> str:
        """Return a token for one person. Raises ProviderFailed.

        It says nothing about leaving: the room's own end does, and so a reschedule reaches who is inside already.
        """
        properties = {
            "room_name": guest.room,
            "user_name": guest.called,
            "is_owner": guest.part == Part.OWNER,
            "exp": int(guest.ends_at.timestamp()),
        }
        if guest.records and guest.part == Part.OWNER:
            properties["enable_recording"] = CLOUD
        token = _good(*self._call("POST", "/meeting-tokens", {"properties": properties})).get("token")
        if not isinstance(token, str) or not token:
            raise ProviderFailed("the answer holds no token")
        return token

    def check(self) -> None:
        """Ask whether the key is good. Raises ProviderFailed."""
        _good(*self._call("GET", "/"))

    def _call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Return status and parsed body. Raises ProviderFailed without an answer."""
        if not (self._key.isascii() and self._key.isprintable()):
            raise ProviderFailed("the clinic's key has characters that no key has")
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "RestartiX",
        }
        content = b"" if body is None else json.dumps(body).encode()
        reply = _poster().request(method, settings.DAILY_API_URL.rstrip("/") + path, headers=headers, body=content)
        if reply.response_code is None or reply.content is None:
            raise ProviderFailed(f"no answer ({reply.failure})")
        return reply.response_code, _parsed(reply)


@cache
def _poster() -> Poster:
    trusted = ssl.create_default_context()
    names = resolver(env.dns_nameservers)
    return Poster(_may_reach, resolve=names, tls=lambda: trusted, timeout_seconds=TIMEOUT_SECONDS)


def _may_reach(host: str, address: Address) -> bool:
    """Let calls reach the internet; this machine only where the operator wrote its address out (`127.0.0.1`)."""
    return is_public(address) or (literal_of(host) is not None and is_loopback(address))


def _properties(room: Wanted) -> dict[str, Any]:
    return {
        "exp": int(room.ends_at.timestamp()),
        "eject_at_room_exp": True,
        "max_participants": MOST_PARTICIPANTS,
        "enable_knocking": False,
        "enable_recording": CLOUD if room.records else None,
    }


def _parsed(reply: Reply) -> Any:
    try:
        return json.loads(reply.content or b"")
    except ValueError:
        return None


def _good(status: int, answer: Any) -> Mapping[str, Any]:
    """Return the answer of a call that succeeded. Raises ProviderFailed with what Daily said."""
    if status < HTTPStatus.MULTIPLE_CHOICES and isinstance(answer, Mapping):
        return answer
    said = [str(answer[name]) for name in ("error", "info") if answer.get(name)] if isinstance(answer, Mapping) else []
    raise ProviderFailed(": ".join([f"answer {status}", *said]))


def _records(room: Mapping[str, Any]) -> bool:
    config = room.get("config")
    return isinstance(config, Mapping) and config.get("enable_recording") not in (None, "", False, "<not set>")


def _address(room: Mapping[str, Any]) -> str:
    address = room.get("url")
    if not isinstance(address, str) or len(address) > LONGEST_ADDRESS or urlsplit(address).scheme != "https":
        raise ProviderFailed("the answer holds no address")
    return address
