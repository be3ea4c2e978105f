"""A client of the API that signs in with development tokens and reads what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client

from restartix.kernel.tokens import issue_development_token

_NOTHING: Any = object()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def data(self) -> Any:
        """The one resource, or the list."""
        assert self.status < 400, self.content.decode()
        return self.json["data"]

    @property
    def error(self) -> dict[str, Any]:
        return self.json["error"]

    @property
    def code(self) -> str:
        return self.error["code"]

    @property
    def details(self) -> dict[str, Any]:
        return self.error["details"]

    @property
    def fields(self) -> dict[str, list[str]]:
        """What was wrong with which value."""
        assert self.status == 422, self.content.decode()
        return self.details["fields"]

    @property
    def ids(self) -> list[int]:
        return [each["id"] for each in self.data]


@dataclass(frozen=True)
class Api:
    """Requests by one person, in one organization where that is said; nobody without a token."""

    token: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, subject: str | None, organization_id: int | str | None = None) -> Api:
        headers = {} if organization_id is None else {"X-Organization-ID": str(organization_id)}
        return cls(issue_development_token(subject) if subject else None, headers)

    def __call__(self, method: str, path: str, body: Any = _NOTHING, **headers: str) -> Answer:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = b"" if body is _NOTHING else json.dumps(body).encode()
        kind = {} if body is _NOTHING else {"content_type": "application/json"}
        forget_settings()
        answer = Client(raise_request_exception=False).generic(method, path, data, headers=sent, **kind)
        forget_settings()
        return Answer(answer.status_code, dict(answer.headers), answer.content)

    def get(self, path: str, **headers: str) -> Answer:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = _NOTHING, **headers: str) -> Answer:
        return self("POST", path, body, **headers)

    def put(self, path: str, body: Any = _NOTHING, **headers: str) -> Answer:
        return self("PUT", path, body, **headers)

    def patch(self, path: str, body: Any = _NOTHING, **headers: str) -> Answer:
        return self("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self("DELETE", path, **headers)


def forget_settings() -> None:
    """Inside a test's own transaction a request's settings would outlive it, the platform's role included."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('app.org', '', true), set_config('app.user', '', true), "
                "set_config('app.audit', '', true), set_config('role', 'none', true)"
            )
