"""Where a person works: the clinics whose back office is open to them now."""

from __future__ import annotations

from typing import Any

from django.db import connection

from apps.organizations.lifecycles import MembershipStatus, OrganizationStatus
from apps.organizations.models import Organization
from restartix.kernel.admin.entry import Workplace
from restartix.kernel.roles import Role

#: A patient's membership opens no back office.
WORKING = [Role.SPECIALIST.value, Role.CUSTOMER_SUPPORT.value, Role.ADMIN.value]

# Before an organization is chosen none is active: row-level security shows a person's own memberships by `app.user`.
_KNOWN = "SELECT set_config('app.user', %s, true)"
_WORKPLACES = """
SELECT o.id, o.name, o.slug, o.timezone, m.role
  FROM organizations_membership m JOIN organizations_organization o ON o.id = m.organization_id
 WHERE m.user_id = %s AND m.status = %s AND m.role = ANY(%s) AND o.status = %s AND o.deleted_at IS NULL
 ORDER BY o.name, o.id
"""


def workplaces_of(user_id: int, *, is_superadmin: bool) -> list[Workplace]:
    """Return the active clinics where the person is staff, by name; every clinic for a superadmin.

    Call it inside a transaction, for it writes the transaction-local setting `app.user`.
    """
    parameters: list[Any] = [user_id, MembershipStatus.ACTIVE.value, WORKING, OrganizationStatus.ACTIVE.value]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [str(user_id)])
        cursor.execute(_WORKPLACES, parameters)
        own = [Workplace(key, name, slug, zone, Role(role)) for key, name, slug, zone, role in cursor.fetchall()]
    return _all(own) if is_superadmin else own


def _all(own: list[Workplace]) -> list[Workplace]:
    roles = {place.id: place.role for place in own}
    rows = Organization.objects.filter(deleted_at=None).order_by("name", "id")
    return [Workplace(row.pk, row.name, row.slug, row.timezone, roles.get(row.pk)) for row in rows]
