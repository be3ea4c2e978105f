"""The signed-in user over HTTP."""

from __future__ import annotations

from typing import Any

from apps.organizations.errors import NotAMember, Suspended
from apps.organizations.services import memberships
from apps.profiles.api.bodies import SwitchBody
from apps.profiles.api.shapes import MeShape
from apps.profiles.selectors.me import Me, me_of
from restartix.kernel import clock
from restartix.kernel.api.contexts import Context
from restartix.kernel.api.operations import operation
from restartix.kernel.api.requests import trace_of
from restartix.kernel.api.resources import Resource
from restartix.kernel.api.serializers import Query
from restartix.kernel.errors import NotFound
from restartix.kernel.roles import SIGNED_IN
from restartix.kernel.tenancy import Actor, acting_for


class Myself(Resource):
    """Me: the signed-in user, and what they are in the active organization."""

    serializer_class = MeShape
    context = Context.OPTIONAL
    may = {"retrieve": SIGNED_IN, "switch_organization": SIGNED_IN}

    @operation(query=Query)
    def retrieve(self) -> Me:  # type: ignore[override]
        """Tell who is signed in, where, and as what."""
        return self._me(self.actor, self.organization.id if self.organization else None)

    @operation(body=SwitchBody, context=Context.IGNORED, in_person=True, errors=(NotAMember, Suspended, NotFound))
    def switch_organization(self, body: dict[str, Any]) -> Me:
        """Choose the current organization, which requests without X-Organization-ID act in."""
        seat = memberships.switch(to=body["organization_id"], by=self.actor)
        if seat.organization is None:
            return self._me(self.actor, None)
        actor = self.actor.within(seat.organization.pk, seat.role)
        with acting_for(seat.organization.pk, actor=actor, trace=trace_of(self.request)):
            return self._me(actor, seat.organization.pk)

    def _me(self, actor: Actor, organization_id: int | None) -> Me:
        assert self.person is not None
        return me_of(self.person.id, actor=actor, organization_id=organization_id, now=clock.now())
