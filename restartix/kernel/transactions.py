"""How a service stands to transactions: most open one (`transaction.atomic`), some only join their caller's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")


class NoTransaction(RuntimeError):
    """A step was taken outside the change that it belongs to: a mistake in the program."""


def joins_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Let the function run only inside a transaction that somebody else opened and will commit with the rest.

    Raises NoTransaction outside of one.
    """

    @wraps(function)
    def joined(*args: P.args, **kwargs: P.kwargs) -> R:
        if not connection.in_atomic_block:
            raise NoTransaction(function.__qualname__)
        return function(*args, **kwargs)

    return joined
