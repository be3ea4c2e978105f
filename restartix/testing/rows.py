"""The rows of a test database: kept aside as the migrations left them, brought back after a test that commits."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

Connection = psycopg.Connection[Any]

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
      AND relname <> 'django_migrations'
    ORDER BY relname
"""
_WRITABLE_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attnum
"""
_END_FORGOTTEN_TRANSACTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
"""


def keep(superuser: Connection) -> None:
    """Copy every table that is not empty into the schema `pristine`."""
    superuser.execute("DROP SCHEMA IF EXISTS pristine CASCADE")
    superuser.execute("CREATE SCHEMA pristine")
    for table in _filled(superuser, "public"):
        copy = SQL("CREATE TABLE {} AS TABLE {}")
        superuser.execute(copy.format(Identifier("pristine", table), Identifier("public", table)))


def restore(superuser: Connection) -> None:
    """Bring every table back to what `keep` found, whatever triggers and policies guard it; within a transaction."""
    superuser.execute("SET LOCAL session_replication_role = replica")
    superuser.execute("SET LOCAL lock_timeout = '10s'")
    superuser.execute(_END_FORGOTTEN_TRANSACTIONS)
    for table in _filled(superuser, "public"):
        superuser.execute(SQL("DELETE FROM {}").format(Identifier("public", table)))
    for table in _filled(superuser, "pristine"):
        superuser.execute(_copied_back(superuser, table))


def _filled(superuser: Connection, schema: str) -> list[str]:
    """Return the tables of `schema` that hold rows, partitions and Django's list of migrations left out."""
    names = [name for (name,) in superuser.execute(_TABLES, [schema]).fetchall()]
    queries = [
        SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(Literal(name), Identifier(schema, name)) for name in names
    ]
    return [name for (name,) in superuser.execute(SQL(" UNION ALL ").join(queries)).fetchall()] if queries else []


def _copied_back(superuser: Connection, table: str) -> Composed:
    columns = superuser.execute(_WRITABLE_COLUMNS, [f'public."{table}"']).fetchall()
    names = SQL(", ").join(Identifier(name) for (name,) in columns)
    insert = SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM {}")
    return insert.format(Identifier("public", table), names, names, Identifier("pristine", table))
