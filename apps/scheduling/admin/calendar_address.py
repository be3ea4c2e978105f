"""A specialist's calendar address in the back office: made and replaced by themself, shown once, revoked by admins too.

Source: contract/scheduling.md 4, 10-12.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from apps.organizations.admin import shown_once
from apps.profiles.models import Specialist
from apps.scheduling.models import CalendarFeed
from apps.scheduling.services import feeds
from restartix.kernel.admin.entry import Entry, entry_of
from restartix.kernel.admin.navigation import Page
from restartix.kernel.errors import NotFound
from restartix.kernel.roles import ADMINS, CLINICIANS

site: Any = admin.site


def calendar_of(request: HttpRequest, specialist_id: int) -> HttpResponse:
    """Show how a specialist's calendar address stands; `_issue` makes or replaces it, `_revoke` kills it.

    Raises PermissionDenied for whoever is neither the specialist nor an admin, and for an admin who would make one.
    """
    entry = entry_of(request)
    person = Specialist.objects.alive().filter(pk=specialist_id).first()
    if person is None or entry.workplace is None:
        raise Http404
    is_own = person.user_id is not None and person.user_id == entry.actor.user_id
    if not is_own and not entry.may(ADMINS):
        raise PermissionDenied
    if request.method == "POST":
        return _done(request, entry, person, is_own=is_own)
    context = {
        **site.each_context(request),
        "title": _("Calendar address"),
        "person": person,
        "feed": CalendarFeed.objects.filter(specialist=person).first(),
        "address": shown_once.take(request, _key(person)) if is_own else None,
        "is_own": is_own,
    }
    return TemplateResponse(request, "admin/scheduling/calendar_address.html", context)


def _done(request: HttpRequest, entry: Entry, person: Specialist, *, is_own: bool) -> HttpResponse:
    if "_revoke" in request.POST:
        _revoke(request, entry, person)
    elif not is_own:
        raise PermissionDenied
    else:
        shown_once.keep(request, _key(person), feeds.address_of(feeds.issue(person, by=entry.actor).token))
    return HttpResponseRedirect(request.path)


def _revoke(request: HttpRequest, entry: Entry, person: Specialist) -> None:
    """Kill the address; that somebody else was faster is as good."""
    try:
        feeds.revoke(person, by=entry.actor)
    except NotFound:
        messages.info(request, _("There was no address any more."))
    else:
        messages.success(request, _("The address is revoked: calendars that read it get nothing any more."))


def _key(person: Specialist) -> str:
    return f"calendar-{person.pk}"


site.add_page(Page("specialists/<int:specialist_id>/calendar/", "calendar_of", calendar_of, may=CLINICIANS))
