"""Names in the order of a Romanian telephone book, whatever the database was made with.

The databases' own collations do not serve: the order of C.UTF-8 puts Ș behind Z, and not every build of PostgreSQL has
ICU (that of the first run has none). So a name becomes a key that stands rightly in the order of its bytes: in small
letters, ă â î ș ț as their plain letter and a tilde, which is behind every letter, and without all other accents.
No index has the key: ordering 50,000 names by it takes a fifth of a second.
"""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Func

_LETTERS = {"ă": "a~", "â": "a~~", "î": "i~", "ș": "s~", "ş": "s~", "ț": "t~", "ţ": "t~"}


class InOrder(Func):
    """The key by which a name is ordered: `order_by(InOrder("name"))`."""

    output_field = CharField()

    def __init__(self, column: Any, **extra: Any) -> None:
        """Order by the column called `column`, or by an expression."""
        super().__init__(F(column) if isinstance(column, str) else column, **extra)

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:  # type: ignore[override]
        """Write the key."""
        sql, params = compiler.compile(self.get_source_expressions()[0])
        key = f"lower({sql})"
        for letter, plain in _LETTERS.items():
            key = f"replace({key}, '{letter}', '{plain}')"
        return f'unaccent({key}) COLLATE "C"', params
