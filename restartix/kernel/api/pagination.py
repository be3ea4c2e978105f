"""Pages of a list: `page` from 1, `limit` up to 100."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restartix.kernel.api import queries
from restartix.kernel.api.queries import Problems

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
PARAMETERS = ("page", "limit")
#: No table has so many rows; beyond it the page is empty without asking the database.
FARTHEST_OFFSET = 2**40


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list are wanted."""

    number: int = 1
    limit: int = DEFAULT_LIMIT

    @property
    def offset(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.limit

    @property
    def is_reachable(self) -> bool:
        """Whether any table could have so many rows."""
        return self.offset <= FARTHEST_OFFSET


def read_page(parameters: Mapping[str, str], problems: Problems) -> Page:
    """Read `page` and `limit`; a limit over 100 is taken for 100. Notes anything but whole numbers from 1."""
    number = _positive("page", parameters, problems, default=1)
    limit = _positive("limit", parameters, problems, default=DEFAULT_LIMIT)
    return Page(number, min(limit, MAX_LIMIT))


def _positive(name: str, parameters: Mapping[str, str], problems: Problems, *, default: int) -> int:
    if name not in parameters:
        return default
    number = queries.integer(parameters[name])
    if number is None or number < 1:
        problems.add(name, "a whole number from 1 is expected")
        return default
    return number
