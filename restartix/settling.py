"""What a web process does once before it serves: load what requests need, and take it out of the collector's way."""

from __future__ import annotations

import gc
from contextlib import suppress

from django.core.exceptions import ImproperlyConfigured
from django.urls import get_resolver

from restartix.kernel.tokens import verifier


def settle() -> None:
    """Load every URL and view now rather than with the first request, and let the garbage collector forget all of it.

    A request of the API makes thousands of short-lived objects; without this the collector would walk over the 300,000
    objects of the loaded program again and again, which costs a tenth of a request's time.
    """
    _ = get_resolver().url_patterns
    with suppress(ImproperlyConfigured):  # whose token it is cannot be told then; `doctor` says why
        verifier()  # begins to fetch the issuer's keys
    gc.collect()
    gc.freeze()
