"""The same request twice has one effect: the first answer is kept for 24 hours and given again.

The record is written in the transaction of the effect, so there is no moment in which one exists without the other,
and no lease to reap: while the first request runs it holds a transaction-level advisory lock on its key.
Source: contract/conventions.md, "Idempotency".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from restartix.kernel import crypto
from restartix.kernel.api.continuing import PROCESSING
from restartix.kernel.errors import Conflict, Invalid

HEADER = "Idempotency-Key"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
KEPT_HOURS = 24
LONGEST_OUTSIDE_SECONDS = 60
_FIND = (
    "SELECT fingerprint, status, headers, body FROM organizations_idempotencyrecord "
    "WHERE scope_digest = %s AND expires_at > now()"
)
#: An expired record of the same key gives way.
_STORE = (
    "INSERT INTO organizations_idempotencyrecord "
    "(scope_digest, fingerprint, status, headers, body, created_at, expires_at) "
    "VALUES (%s, %s, %s, %s::jsonb, %s, now(), now() + make_interval(secs => %s)) "
    "ON CONFLICT (scope_digest) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, "
    "headers = excluded.headers, body = excluded.body, created_at = excluded.created_at, "
    "expires_at = excluded.expires_at"
)
_FORGET = "DELETE FROM organizations_idempotencyrecord WHERE scope_digest = %s AND status = %s"
_KEPT_HEADERS = ("Content-Type", "Location", "ETag", "Retry-After")
_NEVER_KEPT = frozenset({401, 408, 429})
#: `X-Hold-Token` and its like: what they open is part of what was asked.
_CAPABILITY = re.compile(r"HTTP_X_[A-Z_]+_TOKEN")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyReused(Conflict):
    """The Idempotency-Key was used with another body: use a new key for a new request."""

    code = "idempotency_key_reused"


class IdempotencyInProgress(Conflict):
    """The first request with this Idempotency-Key is still running."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        """Say when to ask again."""
        super().__init__(headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True)
class Key:
    """One Idempotency-Key of one caller for one operation, and what was sent under it."""

    #: SHA-256 of caller, organization, method, path and key.
    digest: bytes
    fingerprint: bytes

    @property
    def _place(self) -> str:
        return f"idempotency|{self.digest.hex()}"

    def lock(self) -> None:
        """Take the key until the transaction ends. Raises IdempotencyInProgress (409) if another one holds it."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(%s)", [int.from_bytes(self.digest[:8], "big", signed=True)]
            )
            if not cursor.fetchone()[0]:
                raise IdempotencyInProgress

    def stored(self) -> HttpResponse | None:
        """Return the answer that was given before, None if there was none.

        Reads in a statement of its own, after `lock`, so that it sees what the last holder committed.
        Raises IdempotencyKeyReused (409) if something else was sent then.
        """
        with connection.cursor() as cursor:
            cursor.execute(_FIND, [self.digest])
            row = cursor.fetchone()
        if row is None:
            return None
        fingerprint, status, headers, body = row
        if bytes(fingerprint) != self.fingerprint:
            raise IdempotencyKeyReused
        if status == PROCESSING:
            raise IdempotencyInProgress
        return self._again(status, headers, bytes(body))

    def _again(self, status: int, headers: Any, sealed: bytes) -> HttpResponse:
        response = HttpResponse(crypto.unseal(sealed, place=self._place), status=status)
        del response["Content-Type"]
        for name, value in (json.loads(headers) if isinstance(headers, str) else headers).items():
            response[name] = value
        response["Cache-Control"] = "no-store"
        response["Idempotency-Replayed"] = "true"
        return response

    def store(self, response: HttpResponseBase) -> None:
        """Keep the answer, sealed, for 24 hours, in the transaction of the effect; some answers are never kept.

        A stream is not kept either: it has no end to be kept with. What is still going on outside is noted for as long
        as it may take, so that a crash does not keep the key.
        """
        if response.status_code in _NEVER_KEPT or response.status_code >= 500:
            return
        if not isinstance(response, HttpResponse):
            return
        headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
        sealed = crypto.seal(response.content, place=self._place)
        with connection.cursor() as cursor:
            values: list[Any] = [
                self.digest,
                self.fingerprint,
                response.status_code,
                json.dumps(headers),
                sealed,
                LONGEST_OUTSIDE_SECONDS if response.status_code == PROCESSING else KEPT_HOURS * 3600,
            ]
            cursor.execute(_STORE, values)

    def forget(self) -> None:
        """Let the key be used again, where what went on outside came to no answer that is kept."""
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [self.digest, PROCESSING])


def key_of(request: HttpRequest) -> str | None:
    """Return the key that was sent with a writing request, None without one.

    Raises Invalid (422) unless it is 1 to 255 visible ASCII characters.
    """
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None or request.method not in METHODS:
        return None
    if not _KEY.fullmatch(key):
        raise Invalid({HEADER: ["1 to 255 visible ASCII characters are expected"]})
    return key


def key_for(key: str, *, caller: str, organization_id: int | None, request: HttpRequest, fingerprint: bytes) -> Key:
    """Return the key within its scope: caller, organization, method and path."""
    scope = [caller, organization_id, request.method, request.path, key]
    return Key(hashlib.sha256(_canonical(scope)).digest(), fingerprint)


def fingerprint_of(request: HttpRequest, content: Any) -> bytes:
    """Return the digest of what was sent: the query, the capability tokens of the headers, and the body's content.

    `content` is the parsed JSON, so that spacing and the order of keys do not matter; the digests of multipart parts;
    or the raw bytes of what could not be parsed.
    """
    query = sorted(part for part in request.META.get("QUERY_STRING", "").split("&") if part)
    tokens = {
        name: value for name, value in request.META.items() if name.startswith("HTTP_X_") and name.endswith("_TOKEN")
    }
    body = content if isinstance(content, bytes) else _canonical(content)
    digest = hashlib.sha256(_canonical([query, tokens]))
    digest.update(b"\0" + body)
    return digest.digest()


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest_of_parts(fields: Mapping[str, Any], files: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands for a multipart body: its texts, and name, type and digest of its files."""
    parts = {
        name: [file.name, file.content_type, hashlib.sha256(file.read()).hexdigest()] for name, file in files.items()
    }
    for file in files.values():
        file.seek(0)
    return {"fields": dict(fields), "files": parts}
