"""One visit of one page: whose page it is, in which language, and how its answer leaves.

The pages keep no state of their own. There is no cookie, so no request carries an authority that its sender did not put
into it: what may be done follows from the hold token or the manage token in the form, which another site does not know.
That is why no CSRF token is needed, and why the page works inside a clinic's site where third-party cookies are gone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from csp.constants import SELF
from csp.decorators import csp_replace
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from apps.organizations.lifecycles import DomainStatus
from apps.organizations.models import Domain, Organization
from apps.organizations.selectors import hosts, images
from apps.scheduling.pages import colours, problems
from apps.scheduling.pages.languages import PARAMETER, chosen, language_of
from restartix.kernel import clock, dates
from restartix.kernel.api import throttling
from restartix.kernel.api.errors import is_contention, refusal_of
from restartix.kernel.api.requests import client_ip, network_of, trace_of
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import NotFound, Refusal
from restartix.kernel.languages import LANGUAGES
from restartix.kernel.tenancy import Actor, acting_for

P = ParamSpec("P")
Page = Callable[Concatenate["Visit", P], HttpResponse]

#: The same counters as those of the API (contract/scheduling.md 2.4): a page is one more way to the same operations.
TIMESLOTS = Limit("timeslots", "30/m")
HOLD = Limit("hold", "20/m")
HEARTBEAT = Limit("heartbeat", "60/m")
RELEASE = Limit("release", "30/m")
BOOK = Limit("book", "10/h")
WAIT = Limit("book", "10/h", of="waitlist")
MANAGE = Limit("manage", "30/m")

ATTEMPTS = 4
_PAUSE_SECONDS = 0.02


class SeeOther(HttpResponseRedirect):
    """Go on with a GET of another page (RFC 9110, 303)."""

    status_code = 303


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a clinic's booking page."""

    request: HttpRequest
    organization: Organization
    language: str
    now: Any

    def url(self, name: str, *, query: Mapping[str, Any] | None = None, **values: Any) -> str:
        """Return the address of a page of this clinic; a language that was chosen goes along."""
        pairs = {key: value for key, value in (query or {}).items() if value not in (None, "")}
        picked = chosen(self.request)
        if picked:
            pairs[PARAMETER] = picked
        path = reverse(f"booking:{name}", kwargs={"slug": self.organization.slug, **values})
        return f"{path}?{urlencode(pairs)}" if pairs else path

    def page(self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> HttpResponse:
        """Return a page in the clinic's colours."""
        body = render_to_string(f"booking/{template}.html", {**self._frame(), **(context or {})})
        return HttpResponse(body, status=status)

    def go(self, name: str, *, query: Mapping[str, Any] | None = None, **values: Any) -> HttpResponse:
        """Send the browser on to another page."""
        return SeeOther(self.url(name, query=query, **values))

    @property
    def address(self) -> str:
        """The visitor's address on the network."""
        return client_ip(self.request)

    def count(self, *limits: Limit) -> None:
        """Count this request in `limits`. Raises RateLimited (429)."""
        caller = f"ip:{network_of(self.address)}"
        throttling.judge([limit.bucket(caller, {}) for limit in limits]).check()

    def admit(self, *limits: Limit) -> None:
        """Count this request in the general limit of an address and in `limits`. Raises RateLimited (429)."""
        network = network_of(self.address)
        buckets = [limit.bucket(f"ip:{network}", {}) for limit in limits]
        throttling.judge([*buckets, throttling.general_bucket(subject=None, network=network)]).check()

    def _frame(self) -> dict[str, Any]:
        """Return what every page shows around its content."""
        organization = self.organization
        logo, icon = images.address_of(organization.logo), images.address_of(organization.icon)
        return {
            "organization": organization,
            "monogram": organization.name[:1].upper(),
            "logo": urlsplit(logo).path if logo else "",
            "icon": urlsplit(icon).path if icon else "data:,",
            "language": self.language,
            "languages": self._languages(),
            "lang": chosen(self.request) or "",
            "theme": reverse("booking:theme", kwargs={"colour": colours.known(organization.primary_color)[1:]}),
            "home": self.url("services"),
            "timezone": organization.timezone,
            "zone_city": dates.city(organization.timezone, self.language),
        }

    def _languages(self) -> list[dict[str, Any]]:
        """Return the ways to this page in other languages; a page that answers a form is no address to go to."""
        if self.request.method != "GET":
            return []
        query = {key: value for key, value in self.request.GET.items() if key != "booked"}
        return [
            {
                "code": code,
                "name": name,
                "current": code == self.language,
                "url": f"{self.request.path}?{urlencode({**query, PARAMETER: code})}",
            }
            for code, name in LANGUAGES.items()
        ]


def visited(
    *limits: Limit, methods: tuple[str, ...] = ("GET", "HEAD")
) -> Callable[[Page[P]], Callable[..., HttpResponse]]:
    """Turn a function of a visit into a view: find the clinic, count the request, act in the clinic's scope, answer.

    Unknown, suspended and deleted clinics answer 404. A refusal that the page does not handle becomes a page that says
    what can be done about it.
    """

    def decorate(page: Page[P]) -> Callable[..., HttpResponse]:
        @xframe_options_exempt
        @csrf_exempt
        @require_http_methods(methods)
        @wraps(page)
        def view(request: HttpRequest, slug: str, **values: Any) -> HttpResponse:
            try:
                organization = hosts.by_slug(slug).organization
            except NotFound:
                return _nowhere(request)
            visit = Visit(request, organization, language_of(request, organization.locale), clock.now())
            with override(visit.language):
                return _sealed(_answer(visit, page, limits, values), visit)

        return view

    return decorate


def _answer(
    visit: Visit, page: Callable[..., HttpResponse], limits: tuple[Limit, ...], values: dict[str, Any]
) -> HttpResponse:
    try:
        visit.admit(*limits)
        return _repeating(lambda: _inside(visit, page, values))
    except (Refusal, DatabaseError) as error:
        refusal = refusal_of(error)
        response = visit.page("problem", problems.described(refusal), status=refusal.status)
        for name, value in refusal.headers.items():
            response[name] = value
        with _acting(visit):
            return _framed(response, visit)


def _inside(visit: Visit, page: Callable[..., HttpResponse], values: dict[str, Any]) -> HttpResponse:
    with _acting(visit):
        return _framed(page(visit, **values), visit)


def _acting(visit: Visit) -> AbstractContextManager[Any]:
    """Act in the clinic's scope, as nobody in particular."""
    return acting_for(visit.organization.pk, actor=Actor.anonymous(), trace=trace_of(visit.request))


def _repeating(work: Callable[[], HttpResponse]) -> HttpResponse:
    """Run `work`, and again, at most three times, after a deadlock or a lock that was not given."""
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except DatabaseError as error:
            if attempt + 1 == ATTEMPTS or not is_contention(error):
                raise
            time.sleep(_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
    raise AssertionError("unreachable")


def _nowhere(request: HttpRequest) -> HttpResponse:
    language = language_of(request, "ro")
    with override(language):
        context = {"language": language, "theme": reverse("booking:theme", kwargs={"colour": colours.DEFAULT[1:]})}
        response = HttpResponse(render_to_string("booking/nowhere.html", context), status=404)
    response["Content-Language"] = language
    return _framed_by(response, [SELF])


def _sealed(response: HttpResponse, visit: Visit) -> HttpResponse:
    """Say that nothing keeps the page, and that its address, with a token perhaps, goes nowhere."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Content-Language", visit.language)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _framed(response: HttpResponse, visit: Visit) -> HttpResponse:
    """Let the clinic's own domains show the page in a frame; without a scheme each matches the page's."""
    domains = Domain.objects.filter(status=DomainStatus.VERIFIED).order_by("domain").values_list("domain", flat=True)
    return _framed_by(response, [SELF, *domains])


def _framed_by(response: HttpResponse, hosts_allowed: list[str]) -> HttpResponse:
    """Let these hosts show the page in a frame, and no other (Content-Security-Policy, frame-ancestors)."""
    csp_replace({"frame-ancestors": hosts_allowed})(lambda _request: response)(HttpRequest())
    return response
