"""Two small files that a view writes: the clinic's colour as a style sheet, and the script for its own site."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from apps.organizations.selectors import hosts
from apps.scheduling.pages import colours
from restartix.environment import ROOT
from restartix.kernel.errors import NotFound

DAY_SECONDS = 86_400
HOUR_SECONDS = 3_600


@require_safe
def theme(request: HttpRequest, colour: str) -> HttpResponse:
    """Give the style sheet of one colour, light and dark; the address says it all, so it may be kept."""
    schemes = {
        "light": colours.palette(f"#{colour}", colours.LIGHT),
        "dark": colours.palette(f"#{colour}", colours.DARK),
    }
    return _kept(render_to_string("booking/theme.css", schemes), "text/css", DAY_SECONDS)


@require_safe
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the script that puts the page into the clinic's own site; 404 for a clinic that is not served."""
    try:
        hosts.by_slug(slug)
    except NotFound:
        return HttpResponse("// no such clinic\n", status=404, content_type="text/javascript; charset=utf-8")
    response = _kept(_script(), "text/javascript", HOUR_SECONDS)
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@cache
def _script() -> str:
    return (ROOT / "static" / "booking" / "embed.js").read_text(encoding="utf-8")


def _kept(text: str, kind: str, seconds: int) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Cache-Control"] = f"public, max-age={seconds}"
    return response
