"""Who calls, when this server signed the token itself: a member of staff as a patient, looked up at every request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection

from apps.organizations.lifecycles import OrganizationStatus
from apps.organizations.selectors import identity
from restartix.kernel.api.identity import Ask, Found, FoundOrganization, Person
from restartix.kernel.errors import Unauthorized
from restartix.kernel.roles import Role
from restartix.kernel.tokens import VerifiedToken

_ENTER = (
    "SELECT user_id, user_name, user_email, actor_id, actor_name, actor_email, actor_role, patient_id, "
    "organization_id, slug, organization_name, timezone, locale, currency, status "
    "FROM profiles_enter_impersonated(%s, %s, %s, %s, %s, %s)"
)


def enter(ask: Ask) -> Found:
    """Find the caller of `ask` and enter the organization (the seam is described in `restartix.kernel.api.identity`).

    Raises Unauthorized (401) for the token of an impersonation that is over, whatever has ended it.
    """
    if ask.token is None or ask.token.kind != "impersonation":
        return identity.enter(ask)
    named = _named(ask.token)
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [*named, ask.organization_id, orjson.dumps(ask.trace).decode()])
        row = cursor.fetchone()
    if row[0] is None:
        raise Unauthorized(details={"reason": "impersonation_ended"})
    return _found(row, impersonation_id=named[0])


def _named(token: VerifiedToken) -> tuple[int, int, int, int]:
    """Return impersonation, actor, patient's user and organization, as this server wrote them into the token."""
    act: Mapping[str, Any] = token.claims["act"]
    return token.claims["imp"], int(act["sub"]), int(token.subject), token.claims["org"]


def _found(row: tuple[Any, ...], *, impersonation_id: int) -> Found:
    (user_id, name, email), (actor_id, actor_name, actor_email, actor_role), patient_id = row[:3], row[3:7], row[7]
    key, slug, title, timezone, locale, currency, status = row[8:]
    suspended = status == OrganizationStatus.SUSPENDED
    return Found(
        person=Person(user_id, name, email),
        organization=None
        if key is None
        else FoundOrganization(key, slug, title, timezone, locale, currency, suspended),
        role=None if key is None else Role.PATIENT,
        impersonation_id=impersonation_id,
        impersonated_by=Person(actor_id, actor_name, actor_email),
        staff_role=Role(actor_role),
        patient_id=patient_id,
    )
