"""Work with the outside world that somebody waits for: no transaction is open while it goes on.

An operation of the API, or a view of the back office, runs in one transaction. One that has to wait for the network
returns `Outside`: its transaction commits, the work is done in none, and its result is answered in another one, in the
same organization and in the same name. So a slow stranger holds no row, no transaction and no snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def _itself(result: Any) -> Any:
    return result


def _stays(result: Any) -> None:
    """Leave what was done as it is."""


@dataclass(frozen=True, slots=True)
class Outside(Generic[T]):
    """What is to be done after the commit, and how its result becomes the answer.

    `work()` opens its own short transactions; what it raises is answered like any refusal, but undoes nothing.
    `answer(result)` runs in the second transaction. Where that one fails, `undo(result)` takes back what `work` did
    elsewhere: in no transaction, and without raising anything.
    """

    work: Callable[[], T]
    answer: Callable[[T], Any] = _itself
    undo: Callable[[T], None] = _stays

    def answered(self, answer: Callable[[Any], Any]) -> Outside[T]:
        """Return the same work with a further step from what `answer` gave to the final answer."""
        first = self.answer
        return replace(self, answer=lambda result: answer(first(result)))

    @contextmanager
    def undone_on_failure(self, result: T) -> Iterator[None]:
        """Undo what gave `result` if the block, which holds the second transaction as a whole, comes to nothing."""
        try:
            yield
        except BaseException:
            self.undo(result)
            raise
