"""The waiting list over HTTP: to be told of a free time, and who waits. Source: contract/scheduling.md 4, 14-16."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers

from apps.scheduling.api import bodies
from apps.scheduling.api.public import PublicScheduling, look_up
from apps.scheduling.api.shapes import ContactShape
from apps.scheduling.lifecycles import WaitlistStatus
from apps.scheduling.models import WaitlistEntry
from apps.scheduling.services import waiting
from apps.scheduling.services.bookings import Agreement, Contact
from restartix.kernel.api import fields
from restartix.kernel.api.filters import ApiFilterSet, Ids, OneOf
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import NotFound
from restartix.kernel.roles import PUBLIC, STAFF

JOIN = Limit("book", "10/h", of="waitlist")


class WaitlistBody(Body):
    """Who waits, and for which days; dates of `timezone`, both inclusive."""

    appointment_template_id = fields.Id()
    contact = bodies.ContactBody()
    date_from = fields.Date()
    date_to = fields.Date()
    specialist_id = fields.Id(required=False, allow_null=True)
    timezone = fields.TimeZone(required=False, allow_null=True)
    consents = fields.ListOf(bodies.AgreementBody(), max_length=20, required=False)


class WaitlistEntryView(Representation):
    """An entry as whoever waits sees it."""

    uid = fields.Uuid()
    status = fields.Choice(WaitlistStatus)
    appointment_template_id = serializers.IntegerField()
    specialist_id = serializers.IntegerField(allow_null=True)
    contact = fields.Part(ContactShape(), when="contact_name")
    date_from = fields.Date()
    date_to = fields.Date()
    timezone = serializers.CharField()
    created_at = fields.Instant()


class NewWaitlistEntry(WaitlistEntryView):
    """An entry with the token that takes it off the list."""

    waitlist_token = serializers.CharField()


class WaitlistEntryShape(WaitlistEntryView):
    """An entry as the clinic sees it, with the time that whoever waited was told of."""

    id = serializers.IntegerField(source="pk")
    organization_id = serializers.IntegerField()
    notified_at = fields.Instant(allow_null=True)
    notified_start = fields.Instant(allow_null=True)
    notified_specialist_id = serializers.IntegerField(allow_null=True)


class WaitingList(PublicScheduling):
    """Waiting list: to be told, once, when a time becomes free."""

    lookup = "uid"
    may: ClassVar = {"join": PUBLIC, "leave": PUBLIC}

    def organization_of(self) -> int | None:
        """Return the organization of the entry, or of the template that is waited for."""
        if "uid" in self.kwargs:
            return look_up("scheduling_organization_of_waitlist_entry", self.kwargs["uid"])
        body = self.sent.peek()
        return self.named_template(body.get("appointment_template_id")) if isinstance(body, dict) else None

    @operation(body=WaitlistBody, returns=NewWaitlistEntry, status=201, limits=(JOIN,), errors=(NotFound,))
    def join(self, body: dict[str, Any]) -> Any:
        """Join the waiting list; an earlier entry of the same e-mail for the template is replaced."""
        offered = self.offered(body["appointment_template_id"])
        wish = waiting.Wish(
            contact=Contact(**body["contact"]),
            date_from=body["date_from"],
            date_to=body["date_to"],
            specialist_id=body.get("specialist_id"),
            timezone=body.get("timezone"),
            consents=tuple(Agreement(each["type"], each.get("policy_version")) for each in body.get("consents", ())),
        )
        entry = waiting.join(offered, wish, by=self.actor)
        entry.waitlist_token = waiting.token_of(entry.uid)  # type: ignore[attr-defined]
        return entry

    @operation(query=bodies.TokenQuery, errors=(NotFound,))
    def leave(self, uid: UUID) -> None:
        """Leave the waiting list."""
        waiting.leave(uid=uid, token=self.token("X-Waitlist-Token"))


class WaitlistFilters(ApiFilterSet):
    """Filters of the waiting list."""

    appointment_template_id = Ids()
    specialist_id = Ids()
    status = OneOf(WaitlistStatus)


class WaitlistEntries(Resource):
    """Waiting list: who waits for a free time."""

    tag = "Scheduling"
    serializer_class = WaitlistEntryShape
    filterset_class = WaitlistFilters
    sortable = ("created_at",)
    default_sort = "created_at"
    may: ClassVar = {"list": STAFF}

    def rows(self) -> QuerySet[WaitlistEntry]:
        """Return everybody; a specialist sees who waits for them, or for no specialist in particular."""
        return WaitlistEntry.objects.visible_to(self.actor)

    @operation()
    def list(self) -> Any:
        """List who waits or has waited."""
        return super().list()
