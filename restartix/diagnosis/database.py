"""The database: its version, its roles, the policies that keep clinics apart, its migrations and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor

from restartix.diagnosis.findings import Finding, State, verdict

_ROLE = """
    SELECT rolname, rolsuper, rolbypassrls,
           (SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner = rolname)
    FROM pg_roles WHERE rolname = current_user
"""
#: Tables with an organization whose rows the current role could read without a complete, forced policy. A partition
#: is no exception if the role may read it by its own name.
_UNGUARDED = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT (c.relispartition AND NOT has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE'))
      AND NOT (c.relrowsecurity AND c.relforcerowsecurity
               AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polqual IS NOT NULL)
               AND (EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polwithcheck IS NOT NULL)
                    OR NOT has_table_privilege(c.oid, 'INSERT, UPDATE')))
    ORDER BY 1
"""
_RUN_ROLES = "Run restartix/embedded/roles.sql as a superuser of PostgreSQL."


def examine() -> Iterator[Finding]:
    """Look at the database as the application sees it; yields one failure if it does not answer."""
    try:
        yield from _version()
        yield from _roles()
        yield from _policies()
        yield from _migrations()
        yield from _clock()
    except DatabaseError as error:
        yield Finding(
            "database",
            State.FAILED,
            str(error).strip() or type(error).__name__,
            "Start it, or correct DATABASE_URL, DATABASE_OWNER_URL and DATABASE_PLATFORM_URL.",
        )


def _one(alias: str, query: str) -> tuple[Any, ...]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        row: tuple[Any, ...] = cursor.fetchone()
        return row


def _version() -> Iterator[Finding]:
    (number,) = _one("default", "SELECT current_setting('server_version_num')::int")
    shown = f"PostgreSQL {number // 10000}.{number % 10000}"
    yield verdict("database version", shown, good=number >= 150000, mend="PostgreSQL 15 or newer is needed.")


def _roles() -> Iterator[Finding]:
    name, superuser, bypasses, owned = _one("default", _ROLE)
    yield verdict(
        "application role",
        f"{name}: superuser {superuser}, bypasses policies {bypasses}, owns {owned} tables",
        good=not (superuser or bypasses or owned),
        mend=f"DATABASE_URL has to name a plain role that owns nothing. {_RUN_ROLES}",
    )
    name, superuser, bypasses, owned = _one("owner", _ROLE)
    yield verdict(
        "owner role",
        f"{name}: superuser {superuser}, owns {owned} tables",
        good=owned > 0 and not superuser,
        mend=f"DATABASE_OWNER_URL has to name the role that migrates. {_RUN_ROLES}",
    )
    name, superuser, bypasses, owned = _one("platform", _ROLE)
    yield verdict(
        "platform role",
        f"{name}: bypasses policies {bypasses}, superuser {superuser}, owns {owned} tables",
        good=bypasses and not (superuser or owned),
        mend=f"DATABASE_PLATFORM_URL has to name a role with BYPASSRLS. {_RUN_ROLES}",
    )


def _policies() -> Iterator[Finding]:
    with connections["default"].cursor() as cursor:
        cursor.execute(_UNGUARDED)
        unguarded = [name for (name,) in cursor.fetchall()]
    yield verdict(
        "row-level security",
        f"no forced policy on {', '.join(unguarded)}" if unguarded else "forced on every table of an organization",
        good=not unguarded,
        mend="Every table with organization_id needs ProtectTenantTable in the migration that makes it.",
    )


def _migrations() -> Iterator[Finding]:
    executor = MigrationExecutor(connections["owner"])
    pending = [f"{migration}" for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    yield verdict(
        "migrations",
        f"pending: {', '.join(pending)}" if pending else "all applied",
        good=not pending,
        mend="Run `manage.py migrate`.",
    )


def _clock() -> Iterator[Finding]:
    (there,) = _one("default", "SELECT clock_timestamp()")
    apart = abs((datetime.now(UTC) - there).total_seconds())
    yield verdict(
        "clock",
        f"{apart:.1f} s apart from the database's",
        good=apart < 2,
        mend="Set both machines by NTP: holds expire by the database's clock.",
        otherwise=State.WARNING,
    )
    (missing, repeated) = _one(
        "default",
        "SELECT extract(epoch FROM timestamp '2026-03-29 04:00' AT TIME ZONE 'Europe/Bucharest')::bigint, "
        "extract(epoch FROM timestamp '2026-10-25 04:00' AT TIME ZONE 'Europe/Bucharest')::bigint",
    )
    changes = (missing, repeated) == (1774746000, 1792893600)
    yield verdict(
        "time zones of the database",
        "Europe/Bucharest changes on 2026-03-29 and 2026-10-25" if changes else "Europe/Bucharest is out of date",
        good=changes,
        mend="Update PostgreSQL, or its tzdata.",
    )
