"""Periodic tasks: declared beside their work, started by the beat, or at once by `manage.py run_periodic`.

An app writes them in its `tasks.py`:

    @periodic("sweep_holds", every=15)
    def sweep_holds() -> int:
        '''Remove what lapsed holds left behind.'''
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from django.utils.module_loading import autodiscover_modules

Work = TypeVar("Work", bound=Callable[[], Any])


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """Work without arguments that states its own organizations, and when it is due."""

    name: str
    #: Seconds between two runs, or five cron fields in UTC such as `0 3 * * *`.
    every: float | str
    work: Callable[[], Any]

    @property
    def meaning(self) -> str:
        """The first line of the work's docstring."""
        return (inspect.getdoc(self.work) or self.name).split("\n", 1)[0]

    @property
    def schedule(self) -> str:
        """When it runs, in words."""
        return f"at {self.every} UTC" if isinstance(self.every, str) else f"every {self.every:g} s"


_tasks: dict[str, PeriodicTask] = {}


def periodic(name: str, *, every: float | str) -> Callable[[Work], Work]:
    """Declare a function as the periodic task `name`; it may still be called like any other.

    It has to bear being run twice at once and being killed half-way. Raises ValueError if the name is taken by another
    function.
    """

    def declare(work: Work) -> Work:
        former = _tasks.get(name)
        if former and (former.work.__module__, former.work.__qualname__) != (work.__module__, work.__qualname__):
            raise ValueError(f"two periodic tasks are named {name}")
        _tasks[name] = PeriodicTask(name, every, work)
        return work

    return declare


def periodic_tasks() -> Mapping[str, PeriodicTask]:
    """Return every periodic task by its name; imports the `tasks` modules of the installed apps at first."""
    autodiscover_modules("tasks")
    return MappingProxyType(dict(sorted(_tasks.items())))
