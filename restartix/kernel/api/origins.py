"""Which origins may call the API from a browser: CORS_ALLOWED_ORIGINS, and https on verified domains of clinics.

The kernel has no tables. The setting `RESTARTIX_ORIGINS` names a callable

    def is_verified(host: str) -> bool: ...

whose answers each process keeps for five seconds, so that a front end's requests cost no statement of their own and a
domain that is verified or lost counts within seconds.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from functools import cache
from typing import Any

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.db import DatabaseError
from django.utils.module_loading import import_string

logger = logging.getLogger("restartix.api")

KEPT_SECONDS = 5.0
#: Answers kept by one process; whoever sends many origins makes it forget, not grow.
MOST_KEPT = 4096
#: `https://` and a name of two labels or more in ASCII, as browsers write it: no port, so the standard one.
_ORIGIN = re.compile(r"https://((?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63})")


class ClinicOrigins(CorsMiddleware):
    """The CORS headers, for verified domains too."""

    def origin_found_in_white_lists(self, origin: str, url: Any) -> bool:
        """Look among the configured origins, then among the clinics' domains."""
        return bool(super().origin_found_in_white_lists(origin, url)) or is_of_clinic(origin)


class _Answers:
    """What was found of each host, and until when that counts."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, bool]] = {}
        self._lock = threading.Lock()

    def of(self, host: str) -> bool:
        ends, answer = self._kept.get(host, (0.0, False))
        return answer if ends > time.monotonic() else self._asked(host)

    def _asked(self, host: str) -> bool:
        try:
            answer = bool(_look_up()(host))
        except DatabaseError as error:
            logger.warning("the origin %s could not be looked up: %s", host, error)
            return False
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[host] = (time.monotonic() + KEPT_SECONDS, answer)
        return answer

    def forget(self) -> None:
        self._kept.clear()


answers = _Answers()


def is_of_clinic(origin: str) -> bool:
    """Tell whether `origin` is https on a clinic's verified domain, as it was at most five seconds ago."""
    match = _ORIGIN.fullmatch(origin)
    return match is not None and answers.of(match[1])


@cache
def _look_up() -> Any:
    return import_string(settings.RESTARTIX_ORIGINS)
