"""What every answer under /v1 and /webhooks carries, and the JSON that replaces what the framework says in HTML."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import get_resolver
from django.utils import translation
from django.utils.module_loading import import_string

from restartix.kernel.api import throttling
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.errors import answer_to, refusal_for_status, refused
from restartix.kernel.api.requests import client_ip, is_api, network_of, remember_request_id
from restartix.kernel.errors import MalformedRequest

logger = logging.getLogger("restartix.api")

#: Pages that stand among the API's paths.
PAGES = frozenset({"/v1/docs"})
#: The language of messages that programmers read.
LANGUAGE = "en"


class ApiMiddleware:
    """The outermost middleware: a request id on every answer; limits, caching and JSON refusals on those of the API.

    Requests of the API pass the short chain of `API_MIDDLEWARE` and nothing that only pages need (sessions, forms,
    languages), which would cost them a third of their time.
    """

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Stand before everything else."""
        self._pages = get_response
        self._views: Callable[[HttpRequest], HttpResponseBase] = _view
        for name in reversed(settings.API_MIDDLEWARE):
            self._views = import_string(name)(self._views)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        with remember_request_id(request) as request_id:
            response = self._api(request) if is_api(request.path_info) else self._pages(request)
            response["X-Request-ID"] = request_id
            return response

    def _api(self, request: HttpRequest) -> HttpResponseBase:
        response = self._checked(request)
        if response.status_code >= 400 and not _is_json(response):
            response = answer_to(refusal_for_status(response.status_code), request)
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        for name, value in _verdict(request).headers().items():
            response[name] = value
        if isinstance(response, HttpResponse) and _is_json(response):  # a stream has no end, others may be chunked
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _checked(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse a host that is not ours before anything trusts it; then let the views answer."""
        try:
            request.get_host()
        except DisallowedHost:
            return answer_to(MalformedRequest("The Host header names no host that is served here."), request)
        try:
            with translation.override(LANGUAGE):
                return self._views(request) if request.path_info not in PAGES else self._pages(request)
        except Exception as error:  # noqa: BLE001 (a middleware of the chain failed)
            return refused(error, request)


def _view(request: HttpRequest) -> HttpResponseBase:
    """Find the view and call it; what it raises is answered here, so that the chain adds its headers to it."""
    try:
        match = get_resolver(getattr(request, "urlconf", None)).resolve(request.path_info)
        request.resolver_match = match
        response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    except Exception as error:  # noqa: BLE001 (nothing but JSON may leave here)
        return refused(error, request)
    return response


def _is_json(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith(JSON)


def _verdict(request: HttpRequest) -> throttling.Verdict:
    """Return what the limits said; a request that was refused before they were asked uses up nothing."""
    judged: throttling.Verdict | None = request.META.get(throttling.VERDICT)
    if judged is not None:
        return judged
    return throttling.peek(throttling.general_bucket(subject=None, network=network_of(client_ip(request))))
