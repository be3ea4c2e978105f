"""Operations that wait for the outside world: what stands in for their answer until it is known.

The first transaction ends with `Pending` as its answer; under an Idempotency-Key that is what is stored, so that the
same request meanwhile is told that the first one is still running. See `restartix.kernel.outside`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from django.http import HttpResponse

from restartix.kernel import tenancy
from restartix.kernel.outside import Outside
from restartix.kernel.tenancy import Scope

#: No answer of an operation has this status (RFC 2518: Processing).
PROCESSING = 102


class Pending(HttpResponse):
    """Something is still to be done, and in whose scope it is to be answered; never sent."""

    def __init__(self, outside: Outside[Any]) -> None:
        """Keep the work, and the present organization and actor."""
        super().__init__(status=PROCESSING)
        self.outside = outside
        self._scope = tenancy.current()

    def scope_again(self) -> AbstractContextManager[Scope]:
        """Open the second transaction, in the organization and the name of the first."""
        if self._scope is None or not isinstance(self._scope.organization_id, int):
            raise tenancy.NoActiveOrganization("Work outside is done for one organization.")
        return tenancy.acting_for(self._scope.organization_id, actor=self._scope.actor, trace=self._scope.trace)
