"""Lifecycles: the states that a row may be in and the moves between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import models

from restartix.kernel.errors import InvalidTransition


class Lifecycle:
    """A closed set of states and every move between two of them, declared as data.

    Refuses to be built when a state has no entry, so that a new state cannot be forgotten.
    """

    def __init__(self, states: type[models.TextChoices], moves: Mapping[str, Iterable[str]]) -> None:
        """Declare that `moves[state]` are the states that may follow `state`."""
        missing = set(states.values) - set(moves)
        unknown = {str(to) for follow in moves.values() for to in follow} - set(states.values)
        if missing or unknown:
            raise TypeError(
                f"{states.__name__}: no moves declared for {missing or '{}'}; unknown states {unknown or '{}'}"
            )
        self.states = states
        self._moves = {str(state): frozenset(map(str, follow)) for state, follow in moves.items()}

    def allowed(self, current: str) -> list[str]:
        """Return the states that may follow `current`, in the order in which the states are declared."""
        return [state for state in self.states.values if state in self._moves[str(current)]]

    def check(self, current: str, to: str) -> None:
        """Let `to` follow `current`.

        Raises InvalidTransition (409) if no such move is declared.
        """
        if str(to) not in self._moves[str(current)]:
            raise InvalidTransition(current=str(current), to=str(to), allowed=self.allowed(current))

    def moves(self) -> list[tuple[str, str]]:
        """Return every declared move as (from, to)."""
        return [(state, to) for state in self.states.values for to in self.allowed(state)]
