"""Domains and integration keys of an organization over HTTP. Source: contract/organizations.md 2.3, 2.4."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from apps.organizations.api.domain_bodies import ApiKeyBody, NewDomainBody
from apps.organizations.api.domain_shapes import ApiKeyShape, DomainShape
from apps.organizations.api.filters import DomainFilters
from apps.organizations.errors import DomainNotVerified, DomainTaken, LimitReached, NoDns
from apps.organizations.models import ApiKey, Domain
from apps.organizations.services import domains, keys
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.operations import Answered, operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.throttling import Limit
from restartix.kernel.errors import AlreadyTaken, Forbidden
from restartix.kernel.outside import Outside
from restartix.kernel.roles import ADMINS, DESK

#: Over all admins of an organization, the back office's included.
VERIFY_LIMIT = Limit("verify_domain", "10/m", by=lambda kwargs: f"org:{kwargs['id']}")


class Domains(Resource):
    """Domains: host names of a clinic's own that lead to its front ends."""

    serializer_class = DomainShape
    filterset_class = DomainFilters
    tag = "Organizations"
    sortable = ("domain", "created_at")
    default_sort = "domain"
    context = Context.PATH
    lookup = "domain_id"
    lookup_column = "pk"
    may = {"list": DESK, "create": ADMINS, "destroy": ADMINS, "verify": ADMINS}

    def rows(self) -> QuerySet[Domain]:
        """Keep the domains of the organization in the path.

        Raises Forbidden (403), whatever the id, for those who may not list them: nobody learns which ids there are.
        """
        if self.actor.effective_role not in DESK:
            raise Forbidden
        return Domain.objects.with_primary()

    @operation(body=NewDomainBody, status=201, errors=(AlreadyTaken, DomainTaken, LimitReached))
    def create(self, body: dict[str, Any]) -> Any:
        """Claim a domain: publish its TXT record, then have it verified."""
        return _shown(domains.claim(by=self.actor, **body))

    def destroy(self, row: Domain) -> None:
        """Give a domain up; it leads here no longer."""
        domains.give_up(row, by=self.actor)

    @operation(
        errors=(DomainNotVerified, DomainTaken, NoDns),
        limits=(VERIFY_LIMIT,),
    )
    def verify(self, row: Domain) -> Outside[Any]:
        """Look for the domain's TXT record now. The check is recorded, found or not."""
        return domains.verify(row, by=self.actor).answered(_shown)


def _shown(verdict: domains.Verdict) -> Any:
    """Add what the answer tells besides the row, where it is one."""
    return Domain.objects.with_primary().get(pk=verdict.pk) if isinstance(verdict, Domain) else verdict


class ApiKeys(Resource):
    """API keys: an organization's keys for outside services; what they open is never shown."""

    serializer_class = ApiKeyShape
    tag = "Organizations"
    sortable = ("service", "updated_at")
    default_sort = "service"
    context = Context.PATH
    lookup = "service"
    may = {"list": ADMINS, "create": ADMINS, "destroy": ADMINS}

    def rows(self) -> QuerySet[ApiKey]:
        """Keep the keys of the organization in the path. Raises Forbidden (403) for everybody but admins."""
        if self.actor.effective_role not in ADMINS:
            raise Forbidden
        return ApiKey.objects.select_related("created_by")

    @operation(body=ApiKeyBody, status=201, also=(200,))
    def create(self, body: dict[str, Any]) -> Answered:
        """Keep a key for a service, in place of the one it has."""
        kept = keys.put(by=self.actor, **body)
        return Answered(kept.key, status=201 if kept.is_new else 200)

    def destroy(self, row: ApiKey) -> None:
        """Forget the key of a service."""
        keys.destroy(row, by=self.actor)
