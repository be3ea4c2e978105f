"""What every answer under /v1 and /webhooks carries, and the JSON that replaces what the framework says in HTML."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from restartix.kernel.api import throttling
from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.errors import answer_to, refusal_for_status, refused
from restartix.kernel.api.requests import client_ip, is_api, network_of, remember_request_id
from restartix.kernel.errors import MalformedRequest

logger = logging.getLogger("restartix.api")


class ApiMiddleware:
    """The outermost middleware: request id on every answer; envelope, limits and caching on those of the API."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Stand before everything else."""
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer."""
        with remember_request_id(request) as request_id:
            response = self._api(request) if is_api(request.path) else self._get_response(request)
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
        return response

    def _checked(self, request: HttpRequest) -> HttpResponseBase:
        """Refuse a host that is not ours before anything trusts it; then let the views answer."""
        try:
            request.get_host()
        except DisallowedHost:
            return answer_to(MalformedRequest("The Host header names no host that is served here."), request)
        try:
            return self._get_response(request)
        except Exception as error:  # noqa: BLE001 (nothing but JSON may leave here)
            return refused(error, request)


def _is_json(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith(JSON)


def _verdict(request: HttpRequest) -> throttling.Verdict:
    """Return what the limits said; a request that was refused before they were asked uses up nothing."""
    judged: throttling.Verdict | None = request.META.get(throttling.VERDICT)
    if judged is not None:
        return judged
    return throttling.peek(throttling.general_bucket(subject=None, network=network_of(client_ip(request))))
