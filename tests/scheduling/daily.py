"""Daily on the loopback: its REST API as its reference describes it, with errors and lost answers on demand."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt

KEY = "0123456789abcdef-daily-key"
DOMAIN = "https://clinic.daily.co"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_CONFIG = {"exp", "nbf", "max_participants", "eject_at_room_exp", "enable_knocking", "enable_recording"}


@dataclass
class DailyServer:
    """Rooms by their name, and every call that was made."""

    key: str = KEY
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    #: Answer with this status and error, whatever is asked.
    failing: tuple[int, str] | None = None
    delay_seconds: float = 0
    #: Do what is asked, and hang up instead of answering.
    loses_answers: bool = False
    #: An account that records in every room, as its domain is set up.
    always_records: bool = False
    #: A room's recording cannot be switched off in place.
    keeps_recording: bool = False
    url: str = ""

    def answer(self, method: str, path: str, headers: Any, body: Any) -> tuple[int, Any]:
        self.calls.append((method, path, body))
        if self.failing:
            return self.failing[0], {"error": self.failing[1], "info": "try later"}
        if not (headers.get("Authorization") or "").startswith("Bearer "):
            return 400, {"error": "authorization-header-error"}
        if headers["Authorization"] != f"Bearer {self.key}":
            return 401, {"error": "authentication-error"}
        match method, path.strip("/").split("/"):
            case "GET", [""]:
                return 200, {"domain_name": "clinic", "config": {}}
            case "POST", ["rooms"]:
                return self._create(body)
            case "POST", ["rooms", name]:
                return self._update(name, body)
            case "DELETE", ["rooms", name]:
                return self._delete(name)
            case "POST", ["meeting-tokens"]:
                return 200, {"token": jwt.encode(body["properties"], self.key * 2, algorithm="HS256")}
        return 404, {"error": "not-found"}

    def _create(self, body: Any) -> tuple[int, Any]:
        name = body.get("name") or uuid.uuid4().hex
        if not _NAME.fullmatch(name):
            return 400, {"error": "invalid-request-error", "info": "room name is invalid"}
        if self.room(name) is not None:
            return 400, {"error": "invalid-request-error", "info": f"a room named {name} already exists"}
        if unknown := set(body["properties"]) - _CONFIG:
            return 400, {"error": "invalid-request-error", "info": f"unknown parameter {unknown}"}
        self.rooms[name] = {
            "id": str(uuid.uuid4()), "name": name, "api_created": True, "privacy": body.get("privacy", "public"),
            "url": f"{DOMAIN}/{name}", "created_at": "2026-11-24T20:00:00.000Z", "config": {},
        }  # fmt: skip
        return 200, self._configured(name, body["properties"])

    def _update(self, name: str, body: Any) -> tuple[int, Any]:
        if self.room(name) is None:
            return 404, {"error": "not-found", "info": f"room {name} not found"}
        self.rooms[name]["privacy"] = body.get("privacy", self.rooms[name]["privacy"])
        return 200, self._configured(name, body.get("properties", {}))

    def _configured(self, name: str, properties: dict[str, Any]) -> Any:
        config = self.rooms[name]["config"]
        recorded = config.get("enable_recording")
        config |= {key: value for key, value in properties.items() if value is not None}
        for key in [key for key, value in properties.items() if value is None]:
            config.pop(key, None)
        if self.always_records or (self.keeps_recording and recorded):
            config["enable_recording"] = "cloud"
        return self.rooms[name]

    def _delete(self, name: str) -> tuple[int, Any]:
        if self.room(name) is None:
            return 404, {"error": "not-found", "info": f"room {name} not found"}
        del self.rooms[name]
        return 200, {"deleted": True, "name": name}

    def room(self, name: str) -> dict[str, Any] | None:
        """The room, unless its time is over: such a one counts as deleted."""
        room = self.rooms.get(name)
        if room and room["config"].get("exp", time.time() + 1) <= time.time():
            del self.rooms[name]
            return None
        return room

    @property
    def asked(self) -> list[str]:
        """What was asked, without bodies."""
        return [f"{method} {path}" for method, path, _ in self.calls]


@contextmanager
def serving() -> Iterator[DailyServer]:
    """Run Daily at `server.url`."""
    daily = DailyServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            time.sleep(daily.delay_seconds)
            status, document = daily.answer(self.command, self.path.removeprefix("/v1"), self.headers, body)
            if daily.loses_answers:
                self.close_connection = True
                return
            content = json.dumps(document).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the other side did not wait

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 (the names that the server calls)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    daily.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield daily
    finally:
        server.shutdown()
        server.server_close()
