"""An identity provider on the loopback: signs tokens and events, publishes its keys, keeps accounts behind its API."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from restartix.kernel import signatures
from tests.client import Answer, forget_settings

SECRET_KEY = "sk_test_loopback"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def account(key: str, email: str, name: str = "", *, verified: bool = True, at: int = 1, **more: Any) -> dict[str, Any]:
    """An account as Clerk writes it; `at` is its age in milliseconds after 2026-01-01."""
    first, _, last = name.partition(" ")
    return {
        "id": key,
        "object": "user",
        "email_addresses": [
            {"id": "e0", "email_address": f"old.{email}", "verification": {"status": "verified"}},
            {"id": "e1", "email_address": email, "verification": {"status": "verified" if verified else "unverified"}},
        ],
        "primary_email_address_id": "e1",
        "username": None,
        "first_name": first or None,
        "last_name": last or None,
        "updated_at": 1767225600000 + at,
        **more,
    }


@dataclass
class Provider:
    """Clerk, as far as this server sees it."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=lambda: {"k1": new_key()})
    accounts: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    #: Answer the API with this status, whatever is asked.
    failing: int = 0
    error: dict[str, Any] = field(default_factory=dict)
    #: Called with what the API is about to answer: for what happens before it is heard.
    meanwhile: Callable[[Any], None] | None = None
    delay_seconds: float = 0
    #: Of the account that was made last: none is given again.
    last_number: int = 0
    key_fetches: int = 0
    secret: str = field(default_factory=signatures.new_secret)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                pass

            def do_GET(self) -> None:
                provider.answer(self, None)

            def do_DELETE(self) -> None:
                provider.answer(self, None)

            def do_POST(self) -> None:
                provider.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=[0.02], daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # what it answers

    def answer(self, request: Any, body: Any) -> None:
        time.sleep(self.delay_seconds)
        path = urlsplit(request.path)
        if path.path == "/jwks":
            self.key_fetches += 1
            status, document = self.failing or 200, {"keys": [self._published(name) for name in list(self.keys)]}
        else:
            self.calls.append((request.command, request.path, body))
            status, document = self._api(request, path, body)
            if self.meanwhile is not None:
                self.meanwhile(document)
        content = json.dumps(document).encode()
        try:
            request.send_response(status)
            request.send_header("Content-Length", str(len(content)))
            request.end_headers()
            request.wfile.write(content)
        except OSError:
            pass  # the other side did not wait

    def _api(self, request: Any, path: Any, body: Any) -> tuple[int, Any]:
        if request.headers["Authorization"] != f"Bearer {SECRET_KEY}":
            return 401, {"errors": [{"code": "authentication_invalid"}]}
        if self.failing:
            return self.failing, {"errors": [self.error]}
        if request.command == "DELETE":
            key = path.path.removeprefix("/users/")
            self.accounts = [each for each in self.accounts if each["id"] != key]
            return 200, {"id": key, "object": "user", "deleted": True}
        if request.command == "GET":
            wanted = parse_qs(path.query)["email_address"][0]
            return 200, [each for each in self.accounts if wanted in _emails(each)]
        if any(body["email_address"][0] in _emails(each) for each in self.accounts):
            taken = {"code": "form_identifier_exists", "meta": {"param_name": "email_address"}}
            return 422, {"errors": [taken]}
        name = f"{body['first_name']} {body['last_name']}".strip()
        self.last_number = max(self.last_number, len(self.accounts)) + 1
        made = account(f"user_{self.last_number}", body["email_address"][0], name)
        self.accounts.append(made)
        return 200, made

    def _published(self, name: str) -> dict[str, Any]:
        document = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[name].public_key()))
        return {**document, "kid": name, "alg": "RS256", "use": "sig"}

    # what it gives away

    def token(self, subject: str, *, key: str = "k1", kid: str | None = None, **claims: Any) -> str:
        """A session token."""
        now = int(time.time())
        payload = {"iss": self.url, "sub": subject, "iat": now, "nbf": now, "exp": now + 60, **claims}
        return jwt.encode(payload, self.keys[key], algorithm="RS256", headers={"kid": kid or key})

    def tell(self, kind: str, data: Any, **how: Any) -> Answer:
        """Send an event, signed, and return the answer."""
        return send(self.secret, {"type": kind, "object": "event", "data": data}, **how)


def _emails(data: dict[str, Any]) -> list[str]:
    return [address["email_address"].lower() for address in data["email_addresses"]]


def send(
    secret: str,
    event: Any,
    *,
    key: str | None = None,
    at: float | None = None,
    family: str = "svix",
    signature: str | None = None,
    sent: bytes | None = None,
    without: tuple[str, ...] = (),
) -> Answer:
    """POST an event to /webhooks/clerk; `sent` replaces the signed bytes, `without` leaves headers out."""
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    key = key or f"msg_{time.monotonic_ns()}"
    stamp = str(int(time.time() if at is None else at))
    good = signatures.sign(secret, message_id=key, timestamp=stamp, body=body)
    headers = {"id": key, "timestamp": stamp, "signature": signature or good}
    named = {f"{family}-{name}": value for name, value in headers.items() if name not in without}
    forget_settings()
    answer = Client(raise_request_exception=False).post(
        "/webhooks/clerk", body if sent is None else sent, content_type="application/json", headers=named
    )
    forget_settings()
    return Answer(answer.status_code, dict(answer.headers), answer.content)
