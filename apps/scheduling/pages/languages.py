"""Which language a page speaks: what the visitor chose, else what the browser asks for, else the clinic's.

Never what an address on the network suggests.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header

from restartix.kernel.languages import LANGUAGES, spoken

PARAMETER = "lang"


def chosen(request: HttpRequest) -> str | None:
    """Return the language that the visitor chose on a page before this one."""
    wanted = request.POST.get(PARAMETER) or request.GET.get(PARAMETER)
    return wanted if wanted in LANGUAGES else None


def language_of(request: HttpRequest, locale: str) -> str:
    """Return the language for this visitor of a clinic whose own language is `locale`."""
    return chosen(request) or _asked_for(request) or spoken(locale)


def _asked_for(request: HttpRequest) -> str | None:
    for tag, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        language = tag.split("-")[0]
        if language in LANGUAGES:
            return language
    return None
