"""Bearer tokens in, verified tokens out; whatever is wrong with one, the answer is the same.

The API never accepts cookies, so it needs no CSRF token.
Source: contract/conventions.md, "Who is calling"; RFC 6750.
"""

from __future__ import annotations

import logging

from django.http import HttpRequest

from restartix.kernel.errors import Unauthorized, Unavailable
from restartix.kernel.jwks import KeysUnavailable
from restartix.kernel.tokens import BadToken, ExpiredToken, VerifiedToken, verifier

logger = logging.getLogger("restartix.api")
_OVER = {"reason": "impersonation_ended"}


def token_of(request: HttpRequest, *, required: bool) -> VerifiedToken | None:
    """Return the verified token of the request; None where none was sent and none is `required`.

    Raises Unauthorized (401) for a missing or bad one, and Unavailable (503) while the issuer's keys are out of reach.
    """
    header: str | None = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        if required:
            raise Unauthorized
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    try:
        return verifier().verify(token.strip())
    except ExpiredToken as error:
        raise Unauthorized(details=_OVER if error.kind == "impersonation" else {}) from error
    except BadToken as error:
        logger.info("token refused: %s", error)
        raise Unauthorized from error
    except KeysUnavailable as error:
        raise Unavailable(retry_after_seconds=5) from error
