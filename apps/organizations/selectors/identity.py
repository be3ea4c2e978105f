"""Who calls, in which organization, as what: one statement, which also writes the transaction's settings."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import connection

from apps.organizations.lifecycles import OrganizationStatus
from restartix.kernel.api.identity import Ask, Found, FoundOrganization, Person
from restartix.kernel.errors import Unauthorized
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import PLATFORM_ROLE

_ENTER = (
    "SELECT user_id, user_name, user_email, is_superadmin, is_blocked, organization_id, slug, organization_name, "
    "timezone, locale, currency, status, role FROM restartix_enter(%s, %s, %s, %s)"
)


def enter(ask: Ask) -> Found:
    """Find the caller of `ask` and enter the organization (the seam is described in `restartix.kernel.api.identity`).

    Raises Unauthorized (401) for an impersonation, none of which exists yet.
    """
    if ask.token is not None and ask.token.kind != "session":
        raise Unauthorized(details={"reason": "impersonation_ended"})
    subject = ask.token.subject if ask.token else None
    with connection.cursor() as cursor:
        cursor.execute(_ENTER, [subject, ask.organization_id, ask.is_public, orjson.dumps(ask.trace).decode()])
        row = cursor.fetchone()
        found = _found(row)
        if found.is_superadmin and found.organization is None:
            # `role` cannot be set inside a security-definer function
            cursor.execute("SELECT set_config('role', %s, true)", [PLATFORM_ROLE])
    return found


def _found(row: tuple[Any, ...]) -> Found:
    (user_id, name, email, is_superadmin, is_blocked), organization, (status, role) = row[:5], row[5:11], row[11:]
    key, slug, title, timezone, locale, currency = organization
    suspended = status == OrganizationStatus.SUSPENDED
    return Found(
        person=None if user_id is None else Person(user_id, name, email, is_superadmin, is_blocked),
        organization=None
        if key is None
        else FoundOrganization(key, slug, title, timezone, locale, currency, suspended),
        role=Role(role) if role else None,
    )
