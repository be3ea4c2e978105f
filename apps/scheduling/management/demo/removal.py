"""Removes demo clinics with every row of theirs, as the owner of the tables, so that they can be made anew.

Nothing else removes a clinic's rows: triggers keep audit rows and consents for ever. The owner sets the triggers aside
for one transaction; foreign keys stay in force, so nothing of another clinic can lose what it points to.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import connections, transaction

from apps.organizations.models import AuditEntry, Organization, User
from apps.profiles.models import PatientPerson
from apps.scheduling.management.demo.plan import BULK_DOMAIN, PATIENTS_DOMAIN, SLUG_PREFIX, plan
from restartix.kernel.errors import Conflict
from restartix.kernel.tenancy import TenantModel

_OWNER = "owner"


class OtherClinics(Conflict):
    """The database holds clinics that are no demo clinics: they might be real, so nothing is removed from it."""


def remove_all() -> int:
    """Remove every demo clinic, its people and their logins; return how many clinics there were.

    Waits at most 10 s for others to let go of the tables. Raises OtherClinics (409) if the database holds others.
    """
    count = removable()
    if count:
        with transaction.atomic(using=_OWNER), connections[_OWNER].cursor() as cursor:
            _remove(cursor)
    return count


def removable() -> int:
    """Return how many demo clinics there are. Raises OtherClinics (409) if the database holds others."""
    others = Organization.objects.exclude(slug__startswith=SLUG_PREFIX).values_list("slug", flat=True)
    if others:
        raise OtherClinics(details={"organizations": list(others[:20])})
    return Organization.objects.count()


def _remove(cursor: Any) -> None:
    """Empty every clinic's table, for there are no other clinics; other people's audit rows stay."""
    emptied = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantModel)]
    emptied.append(PatientPerson._meta.db_table)
    others = [model._meta.db_table for model in (AuditEntry, User, Organization)]
    cursor.execute("SET LOCAL lock_timeout = '10s'")
    for table in (*emptied, *others):
        cursor.execute(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
    cursor.execute(f"TRUNCATE {', '.join(emptied)}")
    cursor.execute("SELECT id FROM organizations_organization")
    for (organization,) in cursor.fetchall():
        # row-level security binds the owner too
        cursor.execute("SELECT set_config('app.org', %s, true)", [str(organization)])
        cursor.execute("DELETE FROM organizations_auditentry WHERE organization_id = %s", [organization])
    cursor.execute("DELETE FROM organizations_user WHERE split_part(email, '@', 2) = ANY(%s)", [list(_domains())])
    cursor.execute("UPDATE organizations_user SET current_organization_id = NULL")
    cursor.execute("DELETE FROM organizations_organization")
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in (*emptied, *others):
        cursor.execute(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')


def _domains() -> set[str]:
    """Return where the demo's logins have their mail: addresses that lead nowhere (RFC 2606)."""
    of_staff = {
        person["email"] for clinic in plan()["clinics"] for person in (*clinic["staff"], *clinic["specialists"])
    }
    emails = {*of_staff, plan()["superadmin"]["email"]}
    return {PATIENTS_DOMAIN, BULK_DOMAIN, *(email.partition("@")[2] for email in emails)}
