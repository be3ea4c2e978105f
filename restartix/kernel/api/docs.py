"""The document itself, `/v1/openapi.json`, and the page to read and try it, `/v1/docs`.

Everything the page loads is our own file, and no script or style stands in the page: it works under the same content
security policy as every other one.
Source: contract/conventions.md, "The OpenAPI document".
"""

from __future__ import annotations

import hashlib
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from restartix.kernel.api import etags
from restartix.kernel.api.envelope import JSON, dumps

CACHED_SECONDS = 300


@cache
def document() -> tuple[bytes, str]:
    """Return the document's bytes and their ETag; written once a process."""
    from drf_spectacular.generators import SchemaGenerator

    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    body = dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
    return body, f'"{hashlib.sha256(body).hexdigest()[:24]}"'


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    """Answer with the document; 304 to who has it."""
    body, etag = document()
    known = etags.matches(request.META.get("HTTP_IF_NONE_MATCH", ""), etag, weak=True)
    response = HttpResponse(status=304) if known else HttpResponse(body, content_type=JSON)
    response["ETag"] = etag
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    response["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Answer with the page."""
    response = render(request, "api/docs.html", {"language": "en"})
    response["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    return response


urlpatterns = [path("openapi.json", openapi), path("docs", page)]
