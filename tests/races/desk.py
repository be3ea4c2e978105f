"""Somebody at the desk over the wire: signed in, with the board's own token, on whichever process answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from tests.races.crowd import Stream

TOKEN = "t" * 32


@dataclass
class Desk:
    """A signed-in person's browser, without the browser."""

    session: str

    @classmethod
    def of(cls, person: Any) -> Desk:
        """Sign a person of the cast in."""
        client = Client()
        client.force_login(person.user)
        return cls(client.cookies[settings.SESSION_COOKIE_NAME].value)

    @property
    def headers(self) -> dict[str, str]:
        """What the browser sends along."""
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; {settings.CSRF_COOKIE_NAME}={TOKEN}"
        return {"Cookie": cookies, "X-CSRFToken": TOKEN, "Accept-Language": "en"}

    def post(self, port: int, path: str, fields: dict[str, Any]) -> tuple[int, Any]:
        """Post a form; return the status and what was said, if it is JSON."""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, urlencode(fields), {**self.headers, **form})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, json.loads(content) if is_json else None

    def get(self, port: int, path: str, **headers: str) -> tuple[int, str, str]:
        """Read a page; return status, ETag and text."""
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", path, headers={**self.headers, **sent})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("ETag", ""), content

    def listen(self, port: int) -> Stream:
        """Open the board's stream."""
        return Stream(port, "/admin/today/stream/", {"Cookie": self.headers["Cookie"]})
