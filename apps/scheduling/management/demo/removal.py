"""Removes demo clinics with every row of theirs, as the owner of the tables, so that they can be made anew.

Nothing else removes a clinic's rows: triggers keep audit rows and consents for ever. The owner sets the triggers aside
for one transaction; foreign keys stay in force, so nothing of another clinic can lose what it points to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connections, transaction

from apps.organizations.models import AuditEntry, Organization, User
from apps.profiles.models import PatientPerson
from apps.scheduling.management.demo.plan import SLUG_PREFIX
from restartix.kernel.errors import Conflict
from restartix.kernel.tenancy import TenantModel

_OWNER = "owner"


class OtherClinics(Conflict):
    """The database holds clinics that are no demo clinics: they might be real, so nothing is removed from it."""


def remove_all() -> int:
    """Remove every demo clinic, its people and their logins; return how many clinics there were.

    Waits at most 10 s for others to let go of the tables. Raises OtherClinics (409) if the database holds others.
    """
    others = Organization.objects.exclude(slug__startswith=SLUG_PREFIX).values_list("slug", flat=True)
    if others:
        raise OtherClinics(details={"organizations": list(others[:20])})
    keys = list(Organization.objects.values_list("pk", flat=True))
    if keys:
        with transaction.atomic(using=_OWNER), connections[_OWNER].cursor() as cursor:
            _remove(cursor, keys)
    return len(keys)


def _remove(cursor: Any, organizations: Sequence[int]) -> None:
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)]
    tables += [AuditEntry._meta.db_table]
    all_tables = [*tables, PatientPerson._meta.db_table, User._meta.db_table, Organization._meta.db_table]
    cursor.execute("SET LOCAL lock_timeout = '10s'")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    for table in all_tables:
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    users = _users_of(cursor, organizations)
    for organization in organizations:
        _as(cursor, organization)
        for table in tables:
            cursor.execute(f'DELETE FROM "{table}" WHERE organization_id = %s', [organization])  # noqa: S608
    for organization in organizations:
        _as(cursor, organization)
        cursor.execute("DELETE FROM profiles_patientperson WHERE registered_by_id = %s", [organization])
    cursor.execute("DELETE FROM organizations_user WHERE id = ANY(%s)", [users])
    cursor.execute("DELETE FROM organizations_organization WHERE id = ANY(%s)", [list(organizations)])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in all_tables:
        cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def _users_of(cursor: Any, organizations: Sequence[int]) -> list[int]:
    """Return the logins that exist for the demo: members of its clinics whose addresses lead nowhere (RFC 2606)."""
    members: set[int] = set()
    for organization in organizations:
        _as(cursor, organization)
        cursor.execute("SELECT user_id FROM organizations_membership WHERE organization_id = %s", [organization])
        members.update(user_id for (user_id,) in cursor.fetchall())
    cursor.execute(
        "SELECT id FROM organizations_user WHERE email LIKE '%%.example' AND (id = ANY(%s) OR is_superadmin)",
        [list(members)],
    )
    return [user_id for (user_id,) in cursor.fetchall()]


def _as(cursor: Any, organization: int) -> None:
    """Let row-level security show the owner this organization's rows."""
    cursor.execute("SELECT set_config('app.org', %s, true)", [str(organization)])
