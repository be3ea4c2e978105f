"""Sealed columns of all models: found by their type, counted by the key they are sealed under, sealed anew in batches.

A model of any app joins by having a `SealedField`. Which values are done stands in the values themselves (their first
byte is the version of the key), so work that was cut short goes on where it was, and needs no book of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from django.apps import apps
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from restartix.kernel import crypto
from restartix.kernel.crypto import SealedField, WrongSeal

logger = logging.getLogger(__name__)


class Resealed(NamedTuple):
    """One batch: how many values were sealed anew, how many do not open, and the last primary key (None: no more)."""

    sealed: int
    unreadable: int
    last: Any


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column that holds sealed values."""

    model: type[models.Model]
    field: SealedField

    @property
    def table(self) -> str:
        """The table's name."""
        return str(self.model._meta.db_table)

    @property
    def name(self) -> str:
        """The column's name."""
        return str(self.field.column)

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    def outdated(self, cursor: CursorWrapper) -> int:
        """Return how many values of all organizations are sealed under another key than the newest."""
        cursor.execute(self._sql("SELECT count(*) FROM {table} WHERE {outdated}"), [self._newest()])
        return int(cursor.fetchone()[0])

    def reseal(self, cursor: CursorWrapper, *, after: Any, limit: int) -> Resealed:
        """Seal at most `limit` outdated values anew, in the order of the primary keys that follow `after`.

        Rows that somebody else holds are passed over, so that nobody waits and no deadlock comes of it; the taken ones
        are held until the transaction ends. Needs a role that may see every row.
        """
        select = "SELECT {pk}, {column} {bound} FROM {table} WHERE {outdated}"
        order = " ORDER BY {pk} LIMIT %s FOR NO KEY UPDATE SKIP LOCKED"
        follows, start = ("", []) if after is None else (" AND {pk} > %s", [after])
        cursor.execute(self._sql(select + follows + order), [self._newest(), *start, limit])
        rows = cursor.fetchall()
        sealed = list(self._sealed(rows))
        if sealed:
            update = "UPDATE {table} SET {column} = v.sealed FROM unnest(%s::{type}[], %s::bytea[]) AS v (pk, sealed) "
            where = "WHERE {table}.{pk} = v.pk"
            cursor.execute(self._sql(update + where), [list(each) for each in zip(*sealed, strict=True)])
        return Resealed(len(sealed), len(rows) - len(sealed), rows[-1][0] if rows else None)

    def _sealed(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, bytes]]:
        for key, value, *bound in rows:
            place = self.field.place_of(dict(zip(self.field.bound_to, bound, strict=True)))
            try:
                yield key, crypto.seal(crypto.unseal(bytes(value), place=place), place=place)
            except WrongSeal:
                logger.error("%s of row %s does not open", self, key)

    def _sql(self, template: str) -> str:
        quote = connection.ops.quote_name
        pk = cast("models.AutoField[Any, Any]", self.model._meta.pk)
        return template.format(
            table=quote(self.table),
            column=quote(self.name),
            pk=quote(str(pk.column)),
            type=pk.rel_db_type(connection),
            bound="".join(f", {quote(column)}" for column in self.field.bound_to),
            outdated=f"substring({quote(self.name)} FOR 1) <> %s",
        )

    @staticmethod
    def _newest() -> bytes:
        return bytes([crypto.newest_version()])


def sealed_columns() -> list[SealedColumn]:
    """Return every sealed column of every model, by table and name."""
    found = (
        SealedColumn(model, field)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
        if isinstance(field, SealedField)
    )
    return sorted(found, key=str)
