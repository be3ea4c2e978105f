"""The identity provider's backend API: making an account, finding one by e-mail, removing one.

Everything here is a network call of bounded length; whoever makes it holds no lock that others wait for.
Source: contract/profiles.md 2.3 (`create_account`); Clerk's Backend API, `POST /v1/users`, `GET /v1/users` and
`DELETE /v1/users/{user_id}`.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from restartix.kernel.errors import Unavailable

logger = logging.getLogger(__name__)

#: For connecting, and for each wait for the next bytes.
TIMEOUT_SECONDS = 3
#: For one call as a whole; two calls stay below the time that a transaction may idle.
DEADLINE_SECONDS = 4
LARGEST_ANSWER_BYTES = 256 * 1024
RETRY_AFTER_SECONDS = 5
_CHUNK_BYTES = 16 * 1024


class EmailInUse(Exception):
    """The identity provider has an account with this e-mail already."""


class EmailRefused(Exception):
    """The identity provider takes no account with this e-mail."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follow nothing: the secret key is for one server alone."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Let the answer stand as the error that it is."""


_opener = urllib.request.build_opener(_NoRedirect)


def is_configured() -> bool:
    """Tell whether there is a secret key to call with."""
    return bool(settings.CLERK_SECRET_KEY)


def create_account(*, email: str, first_name: str, last_name: str) -> Mapping[str, Any]:
    """Make an account without a password; its e-mail counts as verified there. Return it as the provider tells it.

    Raises EmailInUse, EmailRefused, and Unavailable (503) if the provider cannot be asked or answers nonsense.
    """
    body = {
        "email_address": [email],
        "first_name": first_name,
        "last_name": last_name,
        "skip_password_requirement": True,
    }
    status, answer = _call("POST", "/users", body)
    if status < 300 and isinstance(answer, Mapping):
        return answer
    codes = _codes(answer)
    if "form_identifier_exists" in codes:
        raise EmailInUse
    if status == 422 and any(parameter.startswith("email_address") for parameter in codes.values()):
        raise EmailRefused
    raise _down(f"POST /users answered {status} {', '.join(codes)}")


def accounts_with(email: str) -> list[Mapping[str, Any]]:
    """Return the accounts that list `email`. Raises Unavailable (503)."""
    status, answer = _call("GET", "/users?" + urlencode({"email_address": email, "limit": 10}))
    if status < 300 and isinstance(answer, list):
        return [account for account in answer if isinstance(account, Mapping)]
    raise _down(f"GET /users answered {status}")


def delete_account(key: str) -> None:
    """Remove the account; one that is gone is no mistake. Raises Unavailable (503)."""
    status, _answer = _call("DELETE", f"/users/{quote(key, safe='')}")
    if status >= 300 and status != 404:
        raise _down(f"DELETE /users answered {status}")


def _call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return status and parsed body. Raises Unavailable (503) without a key or an answer, or after the deadline."""
    if not is_configured():
        raise _down("CLERK_SECRET_KEY is not set")
    headers = {
        "Authorization": f"Bearer {settings.CLERK_SECRET_KEY}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "RestartiX",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(settings.CLERK_API_URL.rstrip("/") + path, data, headers, method=method)  # noqa: S310 (an operator's address)
    try:
        try:
            with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                return response.status, json.loads(_read(response))
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _parsed(_read(refused))
    except (OSError, ValueError) as error:
        raise _down(f"{method} /users failed: {error}") from error


def _read(response: Any) -> bytes:
    ends, body = time.monotonic() + DEADLINE_SECONDS, b""
    while chunk := response.read1(_CHUNK_BYTES):
        body += chunk
        if time.monotonic() > ends or len(body) > LARGEST_ANSWER_BYTES:
            raise TimeoutError("the answer is too long or too slow")
    return body


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _codes(answer: Any) -> dict[str, str]:
    """Return what the provider objected to: code → parameter."""
    errors = answer.get("errors") if isinstance(answer, Mapping) else None
    listed = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    return {str(error.get("code")): _parameter(error) for error in listed}


def _parameter(error: Mapping[str, Any]) -> str:
    meta = error.get("meta")
    return str(meta.get("param_name", "")) if isinstance(meta, Mapping) else ""


def _down(reason: str) -> Unavailable:
    logger.error("the identity provider did not do as asked: %s", reason)
    return Unavailable("The identity provider does not answer: try again.", retry_after_seconds=RETRY_AFTER_SECONDS)
