"""Calendar feeds over HTTP. Source: contract/scheduling.md 4, 10-13."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponse

from apps.profiles.models import Specialist
from apps.scheduling.api import shapes
from apps.scheduling.models import CalendarFeed
from apps.scheduling.selectors.invitations import feed_of
from apps.scheduling.services import feeds
from restartix.kernel.api import etags
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.throttling import Limit
from restartix.kernel.crypto import token_digest
from restartix.kernel.errors import Forbidden, NotFound
from restartix.kernel.roles import ADMINS, PUBLIC, STAFF


class CalendarFeeds(Resource):
    """Calendar feeds: a secret address for a specialist's own calendar program."""

    tag = "Appointments"
    may: ClassVar = {"show": STAFF, "issue": STAFF, "revoke": STAFF}

    def rows(self) -> QuerySet[Specialist]:
        """Return the specialists; the path names one."""
        return Specialist.objects.alive()

    def permit(self) -> None:
        """Let the specialist do everything and admins look and revoke."""
        is_own = self.row.user_id is not None and self.row.user_id == self.actor.staff_user_id
        if not is_own and (self.action == "issue" or self.actor.effective_role not in ADMINS):
            raise Forbidden

    @operation(returns=shapes.CalendarFeedShape)
    def show(self, row: Specialist) -> Any:
        """Get the feed, without its address."""
        feed = CalendarFeed.objects.filter(specialist=row).first()
        if feed is None:
            raise NotFound
        return feed

    @operation(body=None, returns=shapes.NewCalendarFeedShape, status=201, also=(200,))
    def issue(self, row: Specialist) -> Any:
        """Make the feed, or give it a new address; it is shown this once."""
        issued = feeds.issue(row, by=self.actor)
        issued.feed.url = feeds.address_of(issued.token)  # type: ignore[attr-defined]
        return issued.feed if issued.is_new else Answered(issued.feed, status=200)

    @operation()
    def revoke(self, row: Specialist) -> None:
        """Kill the feed's address."""
        feeds.revoke(row, by=self.actor)


class PublicFeeds(Resource):
    """Public feeds: a specialist's appointments, as calendar programs read them."""

    tag = "Appointments"
    may: ClassVar = {"read": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the feed at this address."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT scheduling_organization_of_feed(%s)", [token_digest(self.kwargs["token"])])
            row = cursor.fetchone()
        return row[0] if row else None

    @operation(
        limits=(Limit("feed", "60/m", by=lambda kwargs: token_digest(kwargs["token"]).hex()),),
        produces=("text/calendar", "application/json"),
        errors=(NotFound,),
    )
    def read(self, token: str) -> Any:
        """Get the feed."""
        if self.organization is None:
            raise NotFound
        content = feed_of(feeds.find(token=token))
        etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if etags.matches(self.request.headers.get("If-None-Match", ""), etag, weak=True):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)
