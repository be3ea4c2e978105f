"""The platform's users over HTTP, for superadmins alone. Source: contract/organizations.md 1.1 and 3 (11-14)."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from apps.organizations.errors import OwnAccount
from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, User
from apps.organizations.services import users
from restartix.kernel.api import fields
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.filters import ApiFilterSet, By, Flag, Ids, Search
from restartix.kernel.api.lists import Listing
from restartix.kernel.api.operations import operation
from restartix.kernel.api.requests import trace_of
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Body, Representation
from restartix.kernel.errors import AlreadyTaken
from restartix.kernel.roles import PLATFORM
from restartix.kernel.tenancy import across_organizations

_EXAMPLES = {"email": "ana.pop@example.org", "name": "Ana Pop"}


class UserShape(Representation):
    """A user of the platform."""

    examples = {**_EXAMPLES, "username": "anapop"}
    #: A caller's own requests must not change the version that they are about to write over.
    volatile = ("last_activity",)

    id = fields.Id()
    email = fields.Email()
    username = fields.Text(max_length=150, allow_null=True)
    name = fields.Text(max_length=200)
    is_superadmin = fields.Boolean()
    confirmed = fields.Boolean()
    blocked = fields.Boolean()
    last_activity = fields.Instant(allow_null=True)
    current_organization_id = fields.Id(allow_null=True)
    created_at = fields.Instant()
    updated_at = fields.Instant()


class NewUserBody(Body):
    """Somebody whom the identity provider will link at the first sign-in."""

    examples = _EXAMPLES

    email = fields.Email()
    name = fields.Text(max_length=200)


class UserBody(Body):
    """What the platform may change of a user."""

    examples = _EXAMPLES

    blocked = fields.Boolean(required=False)
    name = fields.Text(max_length=200, required=False)


def _members_of(rows: QuerySet[User], organization_ids: list[int]) -> QuerySet[User]:
    memberships = Membership.everywhere.filter(
        user=OuterRef("pk"), organization_id__in=organization_ids, status=MembershipStatus.ACTIVE
    )
    return rows.filter(Exists(memberships))


class UserFilters(ApiFilterSet):
    """Filters of the list of users; `organization_id` keeps the active members."""

    search = Search("name__unaccent", "email")
    blocked = Flag()
    is_superadmin = Flag()
    organization_id = By(Ids(), _members_of)


class Users(Resource):
    """Users: everybody with a login, over all organizations."""

    serializer_class = UserShape
    filterset_class = UserFilters
    sortable = ("name", "email", "created_at", "last_activity", "id")
    default_sort = "name"
    location = "/v1/users/{id}"
    context = Context.OPTIONAL
    tag = "Authentication & Users"
    may = {"list": PLATFORM, "create": PLATFORM, "retrieve": PLATFORM, "update": PLATFORM}

    def rows(self) -> QuerySet[User]:
        """Keep who is not deleted; nobody but a superadmin may know whether a user exists.

        Users belong to no organization, so the header narrows nothing here.
        """
        return User.objects.filter(deleted_at=None) if self.actor.is_superadmin else User.objects.none()

    def list(self) -> Listing:
        """Return one page of the users."""
        trace = trace_of(self.request)
        with across_organizations(reason="list the platform's users", actor=self.actor, trace=trace):
            return super().list()

    @operation(body=NewUserBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> User:
        """Make a user ahead of their first sign-in."""
        return users.create(by=self.actor, **body)

    @operation(body=UserBody, errors=(OwnAccount,))
    def update(self, row: User, body: dict[str, Any]) -> User:
        """Block a user, let them in again, or change the name until the identity provider tells another."""
        return users.amend(row, by=self.actor, **body)
