"""Requests that a member of staff makes as a patient: what they may not do, and the trace that each of them leaves.

Source: contract/profiles.md 1.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from restartix.kernel import audit
from restartix.kernel.api.contexts import actor_of
from restartix.kernel.api.identity import Found
from restartix.kernel.api.operations import Operation
from restartix.kernel.errors import Impersonating
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, Trace, acting_for
from restartix.kernel.tokens import VerifiedToken

_FORBIDDEN, _FIRST_REFUSAL = 403, 400


def impersonator_in(found: Found, token: VerifiedToken | None) -> Actor | None:
    """Return who acts as somebody else, in the organization that the token is for; None where nobody does."""
    if token is None or found.impersonation_id is None:
        return None
    return actor_of(found).within(token.claims["org"], Role.PATIENT)


def check_in_person(actor: Actor, operation: Operation, sent: Mapping[str, Any]) -> None:
    """Raise Impersonating (403) for what the patient has to do in person, wholly or by a field that was sent."""
    if actor.impersonation_id is None:
        return
    if operation.in_person or any(_holds(sent, path.split(".")) for path in operation.in_person_fields):
        raise Impersonating


def _holds(sent: Any, path: list[str]) -> bool:
    """Tell whether a body holds the field at `path`."""
    if not isinstance(sent, Mapping) or path[0] not in sent:
        return False
    return len(path) == 1 or _holds(sent[path[0]], path[1:])


def trace_answered(actor: Actor | None, method: str, *, status: int) -> None:
    """Leave the trace of a request, in its own transaction: what cannot be traced is not done."""
    if actor is not None and actor.organization_id is not None:
        reads = method in {"GET", "HEAD"} and status < _FIRST_REFUSAL
        audit.trace_impersonated(_denied(status) or ("READ" if reads else "IMPERSONATE"), status=status)


def trace_refused(actor: Actor | None, trace: Trace, *, status: int) -> None:
    """Leave the trace of a request that was refused, and whose transaction is undone."""
    if actor is not None and actor.organization_id is not None:
        with acting_for(actor.organization_id, actor=actor, trace=trace):
            audit.trace_impersonated(_denied(status) or "IMPERSONATE", status=status)


def _denied(status: int) -> str | None:
    return "DENIED" if status == _FORBIDDEN else None
