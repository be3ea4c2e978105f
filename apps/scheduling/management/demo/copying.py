"""Loads rows with COPY, faster than any insert: the columns come from the model, what does not vary is written once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connections, models, transaction
from psycopg import Cursor
from psycopg.sql import SQL, Identifier

from restartix.kernel.tenancy import PLATFORM_ROLE

NULL = "\\N"
_LINES_AT_ONCE = 2_000
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Table:
    """The rows of one model as lines of COPY: `varying` columns differ from row to row, the others have one value."""

    def __init__(self, model: type[models.Model], varying: Sequence[str], **fixed: Any) -> None:
        """Take the columns from the model; a column that is neither varying nor fixed has the model's default."""
        self.name = model._meta.db_table
        fields = {field.attname: field for field in model._meta.concrete_fields}
        unknown = {*varying, *fixed} - set(fields)
        if unknown:
            raise ValueError(f"{self.name} has no {', '.join(sorted(unknown))}")
        others = [name for name in fields if name not in varying]
        self._columns = [str(fields[name].column) for name in (*varying, *others)]
        values = [fixed[name] if name in fixed else fields[name].get_default() for name in others]
        constant = [encoded(value).replace("%", "%%") for value in values]
        self._line = "\t".join(["%s"] * len(varying) + constant) + "\n"

    def load(self, cursor: Cursor[Any], rows: Iterable[tuple[Any, ...]]) -> int:
        """Copy the rows, whose values are text that `encoded` could have written, or numbers; return how many."""
        columns = SQL(", ").join([Identifier(column) for column in self._columns])
        statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(self.name), columns)
        count = 0
        with cursor.copy(statement) as copy:
            for lines in _batches(self._line % row for row in rows):
                copy.write("".join(lines))
                count += len(lines)
        return count


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(lines)
    while batch := list(islice(remaining, _LINES_AT_ONCE)):
        yield batch


def encoded(value: Any) -> str:
    """Return a value as COPY's text format has it."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return str(value).translate(_ESCAPED)


def take_ids(cursor: Cursor[Any], model: type[models.Model], count: int) -> range:
    """Take so many primary keys from the model's sequence, as the owner of it; goes on in the role that copies."""
    sequence = f"pg_get_serial_sequence('{model._meta.db_table}', 'id')"
    cursor.execute("RESET ROLE")
    cursor.execute(f"SELECT setval({sequence}, nextval({sequence}) + %s - 1)", [count])
    (last,) = cursor.fetchone() or (0,)
    _copy_as_platform(cursor)
    return range(last - count + 1, last + 1)


@contextmanager
def triggers_set_aside(tables: Sequence[type[models.Model]]) -> Iterator[Cursor[Any]]:
    """Yield a cursor of the owner's that may copy into these tables; foreign keys and checks stay in force.

    One transaction. Nobody else can write to the tables meanwhile; waits at most 10 s for those who do.
    """
    names = [model._meta.db_table for model in tables]
    with transaction.atomic(using="owner"), connections["owner"].cursor() as wrapped:
        cursor: Cursor[Any] = wrapped.cursor
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        for name in names:
            cursor.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
        _copy_as_platform(cursor)
        yield cursor
        cursor.execute("RESET ROLE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in names:
            cursor.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')


def _copy_as_platform(cursor: Cursor[Any]) -> None:
    """Go on in the role that row-level security does not bind: COPY refuses to work under policies."""
    cursor.execute(f"SET LOCAL ROLE {PLATFORM_ROLE}")
