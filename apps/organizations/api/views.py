"""Organizations and their members over HTTP."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.organizations.api.bodies import (
    ConnectUserBody,
    MemberBody,
    NewOrganizationBody,
    OrganizationBody,
    ResolveQuery,
)
from apps.organizations.api.filters import MemberFilters, OrganizationFilters
from apps.organizations.api.shapes import MembershipShape, OrganizationPublic, OrganizationShape
from apps.organizations.errors import AlreadyMember, LastAdmin, OnlySuperadmins, OwnMembership
from apps.organizations.models import Membership, Organization
from apps.organizations.selectors import hosts, members
from apps.organizations.services import memberships, organizations
from apps.organizations.services.removals import StillNeeded
from restartix.kernel.api import queries
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import read
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import AlreadyTaken, Forbidden
from restartix.kernel.roles import ADMINS, DESK, MEMBERS, PLATFORM, PUBLIC, SIGNED_IN


class PublicOrganizations(Resource):
    """Organizations: which one a host name or a slug leads to, for pages that nobody has signed in to yet."""

    serializer_class = OrganizationPublic
    tag = "Organizations"
    may = {"resolve": PUBLIC}
    found: hosts.Resolved

    def organization_of(self) -> int | None:
        """Return the organization that the query leads to; it is looked up here, once."""
        query = read(ResolveQuery, queries.parse_query(self.request))
        self.found = hosts.by_slug(query["slug"]) if "slug" in query else hosts.by_host(query["domain"])
        return self.found.organization.pk

    @operation(query=ResolveQuery, row=False, cache_control="public, max-age=60")
    def resolve(self) -> hosts.Resolved:
        """Find an organization by its slug, its verified domain, or its host below the platform's domain."""
        return self.found


class Organizations(Resource):
    """Organizations: the clinics that the caller belongs to."""

    serializer_class = OrganizationShape
    filterset_class = OrganizationFilters
    sortable = ("name", "created_at", "id")
    default_sort = "name"
    location = "/v1/organizations/{id}"
    context = Context.PATH
    contexts = {"list": Context.OPTIONAL, "create": Context.OPTIONAL}
    may = {"list": SIGNED_IN, "create": PLATFORM, "retrieve": MEMBERS, "update": ADMINS, "destroy": PLATFORM}

    def rows(self) -> QuerySet[Organization]:
        """Keep the caller's own; a superadmin has all, or the one that the header or the path names."""
        assert self.person is not None
        alive = Organization.objects.alive().with_role_of(self.person.id)
        if not self.actor.is_superadmin:
            return alive.joined_by(self.person.id)
        return alive.filter(pk=self.organization.id) if self.organization else alive

    def permit(self) -> None:
        """Let superadmins alone send the status."""
        if self.action == "update" and "status" in self.sent.peek() and not self.actor.is_superadmin:
            raise OnlySuperadmins("status")

    @operation(body=NewOrganizationBody, status=201, errors=(AlreadyTaken,))
    def create(self, body: dict[str, Any]) -> Organization:
        """Open an organization."""
        return self._shown(organizations.create(by=self.actor, **body))

    @operation(body=OrganizationBody, errors=(OnlySuperadmins,))
    def update(self, row: Organization, body: dict[str, Any]) -> Organization:
        """Change the fields that were sent; settings are merged key by key."""
        return self._shown(organizations.change(row, by=self.actor, **body))

    @operation(errors=(StillNeeded,))
    def destroy(self, row: Organization) -> None:
        """Close an organization for ever."""
        organizations.delete(row, by=self.actor)

    def _shown(self, organization: Organization) -> Organization:
        """Add what the answer tells besides the row: the caller's role."""
        assert self.person is not None
        return Organization.objects.with_role_of(self.person.id).get(pk=organization.pk)


class Members(Resource):
    """Members: who belongs to an organization, as what."""

    serializer_class = MembershipShape
    filterset_class = MemberFilters
    sortable = {
        "name": "user__name",
        "role": "role",
        "created_at": "created_at",
        "last_activity": "user__last_activity",
    }
    default_sort = "name"
    context = Context.PATH
    lookup = "membership_id"
    lookup_column = "pk"
    may = {"list": DESK, "update": ADMINS, "connect_user": ADMINS}

    def rows(self) -> QuerySet[Membership]:
        """Keep the memberships of the organization in the path.

        Raises Forbidden (403), whatever the id, for those who may not list them: an admin who has just lost the role
        is told so (contract 5, scenario 8), and nobody learns which ids there are.
        """
        if self.actor.effective_role not in DESK:
            raise Forbidden
        return members.members()

    def permit(self) -> None:
        """Let nobody change their own membership, whatever the body says; superadmins excepted."""
        if self.action == "update":
            memberships.check_not_own(self.row, by=self.actor)

    @operation(body=MemberBody, errors=(OwnMembership, LastAdmin))
    def update(self, row: Membership, body: dict[str, Any]) -> Membership:
        """Give a member another role or status."""
        return members.members().get(pk=memberships.change(row, by=self.actor, **body).pk)

    @operation(
        body=ConnectUserBody,
        request_example={"email": "ana.popa@clinica-sud.example", "role": "specialist"},
        row=False,
        status=201,
        also=(200,),
        errors=(AlreadyMember,),
        limits=(Limit("connect_user", "20/m"),),
    )
    def connect_user(self, body: dict[str, Any]) -> Answered:
        """Make a user a member, or an active one again."""
        connection = memberships.connect(by=self.actor, **body)
        membership = members.members().get(pk=connection.membership.pk)
        return Answered(membership, status=201 if connection.is_new else 200)
