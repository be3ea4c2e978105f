"""Pages of lists by kept statements, where there can be one."""

from __future__ import annotations

import logging
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any

from restartix.kernel.api.fast.rows import NotCompilable
from restartix.kernel.api.fast.statements import Statement, Values, compile_statement, key_of

if TYPE_CHECKING:
    from restartix.kernel.api.lists import ListRequest
    from restartix.kernel.api.resources import Resource

logger = logging.getLogger("restartix.api")

MOST_STATEMENTS = 2000
#: A resource that does one of these in its own way is not second-guessed.
_OWN_WAYS = ("represent_all", "serializer_context", "enter")


class Statements:
    """The kept statements of this process, the least used forgotten first; None stands for the ordinary way."""

    def __init__(self) -> None:
        """Begin with none."""
        self._kept: OrderedDict[tuple[Any, ...], Statement | None] = OrderedDict()
        self._lock = Lock()

    def find(self, view: Resource, wanted: ListRequest) -> Statement | None:
        """Return the statement of a list, written now if it is the first of its kind."""
        key = key_of(view, wanted)
        try:
            statement = self._kept[key]
            self._kept.move_to_end(key)
        except KeyError:
            statement = self._kept[key] = self._compile(view, wanted)
            with self._lock:
                while len(self._kept) > MOST_STATEMENTS:
                    self._kept.popitem(last=False)
        return statement

    @staticmethod
    def _compile(view: Resource, wanted: ListRequest) -> Statement | None:
        from restartix.kernel.api.resources import Resource

        if any(getattr(type(view), name) is not getattr(Resource, name) for name in _OWN_WAYS):
            return None
        try:
            return compile_statement(view, wanted)
        except NotCompilable as reason:
            logger.debug("%s goes the ordinary way: %s", type(view).__name__, reason)
        except Exception:
            logger.debug("%s goes the ordinary way", type(view).__name__, exc_info=True)
        return None


statements = Statements()


def fast_page(view: Resource, wanted: ListRequest) -> tuple[list[dict[str, Any]], int] | None:
    """Return the rows of a page and the total, or None where the list goes the ordinary way."""
    statement = statements.find(view, wanted)
    if statement is None or not wanted.page.is_reachable:
        return None
    values = Values(
        organization_id=view.organization.id if view.organization else None,
        user_id=view.actor.user_id,
        filters=[each.value for each in wanted.filters],
    )
    return statement.page(values, limit=wanted.page.limit, offset=wanted.page.offset)
