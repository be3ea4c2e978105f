"""What is set up together with every new organization; higher apps say it when they start.

    organizations.founding.together_with(seed_system_fields)

Source: contract/forms.md 1.5 ("seeded in every new organization").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.organizations.models import Organization
from restartix.kernel import tenancy
from restartix.kernel.tenancy import Actor, Trace, acting_for
from restartix.kernel.transactions import joins_transaction


class Founding:
    """What a new organization begins with, in the transaction that opens it."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._consequences: list[Callable[[Organization, Actor], Any]] = []

    def together_with(self, consequence: Callable[[Organization, Actor], Any]) -> None:
        """Call `consequence(organization, actor)`, inside the new organization, in the transaction that opens it."""
        if consequence not in self._consequences:
            self._consequences.append(consequence)

    @joins_transaction
    def carry_out(self, organization: Organization, *, by: Actor) -> None:
        """Act in the new organization and set everything up."""
        scope = tenancy.current()
        trace = scope.trace if scope else Trace()
        with acting_for(organization.pk, actor=by.within(organization.pk, by.role), trace=trace):
            for consequence in self._consequences:
                consequence(organization, by)
