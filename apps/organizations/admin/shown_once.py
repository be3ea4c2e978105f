"""A secret on its way to the one page that shows it: sealed in the person's session, until it is looked at."""

from __future__ import annotations

import base64
import time
from typing import Any

from django.http import HttpRequest

from restartix.kernel import crypto

_PLACE = "shown_once"
#: The browser follows a redirect; nobody types this address.
SECONDS = 120


def keep(request: HttpRequest, key: int | str, secret: str) -> None:
    """Keep the secret of row `key` for the next page of this session; an earlier one is dropped."""
    sealed = crypto.seal(secret.encode(), place=_place(request, key))
    request.session[_PLACE] = {"key": key, "sealed": base64.b64encode(sealed).decode(), "until": time.time() + SECONDS}


def take(request: HttpRequest, key: int | str) -> str | None:
    """Return the kept secret of row `key` and forget it; None if there is none, or it waited too long."""
    kept: Any = request.session.pop(_PLACE, None)
    if not kept or kept["key"] != key or kept["until"] < time.time():
        return None
    try:
        return crypto.unseal(base64.b64decode(kept["sealed"]), place=_place(request, key)).decode()
    except crypto.WrongSeal:
        return None


def _place(request: HttpRequest, key: int | str) -> str:
    return f"{_PLACE}|{request.user.pk}|{key}"
