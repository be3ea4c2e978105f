"""A client that speaks like a careful single-page application, and the clinics it speaks to."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.kernel_api import world as worlds

MISSING: Any = object()


class Api:
    """Requests by one person; every answer is checked for what every answer must carry."""

    def __init__(self, token: str | None = None, **headers: str) -> None:
        self.token, self.headers = token, headers
        self.client = Client(raise_request_exception=False)

    def send(self, method: str, path: str, body: Any = MISSING, *, raw: bytes | None = None, **headers: str) -> Any:
        meta = {f"HTTP_{name.upper()}": value for name, value in {**self.headers, **headers}.items()}
        if self.token:
            meta.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.token}")
        kind = "application/json" if body is not MISSING or raw is not None else ""
        meta["CONTENT_TYPE"] = meta.pop("HTTP_CONTENT_TYPE", kind)
        data = raw if raw is not None else (b"" if body is MISSING else json.dumps(body).encode())
        answer = self.client.generic(method, path, data, **meta)
        check(answer)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = MISSING, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def put(self, path: str, body: Any = MISSING, **headers: str) -> Any:
        return self.send("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = MISSING, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.send("DELETE", path, **headers)


def check(answer: Any) -> None:
    """Assert what holds for every answer under /v1."""
    assert answer["X-Request-ID"]
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Cache-Control"} <= set(answer.headers)
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/json"
        error = json.loads(answer.content)["error"]
        assert set(error) == {"code", "message", "details", "request_id"}
        assert isinstance(error["details"], dict)
        assert error["message"]
        assert error["request_id"] == answer["X-Request-ID"] or "Idempotency-Replayed" in answer
        assert "Traceback" not in answer.content.decode()


def error_of(answer: Any) -> dict[str, Any]:
    return answer.json()["error"]


@pytest.fixture(autouse=True)
def _own_index(settings):
    settings.ROOT_URLCONF = "tests.kernel_api.urls"


@pytest.fixture
def world(committed_db):
    return worlds.build()


@pytest.fixture
def api(world):
    """Requests by a named person: `api("ion")`; without a name anonymous."""

    def by(name: str | None = None, **headers: str) -> Api:
        return Api(world.token(name) if name else None, **headers)

    return by


@pytest.fixture
def ion(api):
    return api("ion")
