"""Who is in the back office, at which clinic and as what: asked of membership at every request.

The kernel knows no memberships. The setting `RESTARTIX_WORKPLACES` names a callable

    def workplaces_of(user_id: int, *, is_superadmin: bool) -> Sequence[Workplace]: ...

which is called inside the request's transaction: the clinics where that person works now, by name. Losing a role, a
suspended clinic or a blocked account takes effect on the next request, because nothing is remembered but the choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from restartix.kernel.api.requests import trace_of
from restartix.kernel.roles import Role, Roles
from restartix.kernel.tenancy import Actor, across_organizations, acting_for

#: Where the session keeps the clinic that was chosen last.
CHOICE = "workplace"
#: What a superadmin chooses in order to see all clinics at once.
EVERY_CLINIC = "all"


@dataclass(frozen=True, slots=True)
class Workplace:
    """A clinic where a person works; `role` is None for a superadmin who is no member of it."""

    id: int
    name: str
    slug: str
    timezone: str
    role: Role | None = None


class Workplaces(Protocol):
    """The look-up behind `RESTARTIX_WORKPLACES`."""

    def __call__(self, user_id: int, *, is_superadmin: bool) -> Sequence[Workplace]:
        """Return the clinics in whose back office the person may work now, by name."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One request's way in: the person, the clinics they could choose, and the one they chose (None: every clinic)."""

    actor: Actor
    workplaces: Sequence[Workplace]
    workplace: Workplace | None

    @property
    def role(self) -> Role | None:
        """The role that the pages' tables are asked for."""
        return self.actor.effective_role

    @property
    def timezone(self) -> str:
        """The clinic's time zone; UTC where every clinic is shown."""
        return self.workplace.timezone if self.workplace else "UTC"

    def may(self, roles: Roles) -> bool:
        """Tell whether the person's role is one of `roles`."""
        return self.role in roles


@cache
def _imported(path: str) -> Workplaces:
    return cast("Workplaces", import_string(path))


def find(request: HttpRequest) -> Entry | None:
    """Return how the signed-in person may enter, None for whoever may not; call it inside a transaction."""
    user: Any = request.user
    if not user.is_authenticated or not user.is_active:
        return None
    places = _imported(settings.RESTARTIX_WORKPLACES)(user.pk, is_superadmin=user.is_superadmin)
    if not places and not user.is_superadmin:
        return None
    actor = Actor(kind="user", id=user.pk, name=user.name, email=user.email, is_superadmin=user.is_superadmin)
    place = _chosen(request, places, is_superadmin=user.is_superadmin)
    if place is not None:
        actor = actor.within(place.id, place.role)
    return Entry(actor, places, place)


def _chosen(request: HttpRequest, places: Sequence[Workplace], *, is_superadmin: bool) -> Workplace | None:
    choice = request.session.get(CHOICE)
    place = next((place for place in places if place.id == choice), None)
    return place if place or is_superadmin else places[0]


@contextmanager
def entered(request: HttpRequest, entry: Entry) -> Iterator[None]:
    """Act for the chosen clinic, or across all of them for a superadmin who chose none, on the clinic's clock."""
    trace = replace(trace_of(request), source="admin")
    if entry.workplace is not None:
        scope = acting_for(entry.workplace.id, actor=entry.actor, trace=trace)
    else:
        scope = across_organizations(reason="a superadmin in the back office", actor=entry.actor, trace=trace)
    request.entry = entry  # type: ignore[attr-defined]
    with scope, timezone.override(ZoneInfo(entry.timezone)):
        yield


def entry_of(request: HttpRequest) -> Entry:
    """Return the entry of a request that is in; a view of the site is reached by no other."""
    return cast("Entry", request.entry)  # type: ignore[attr-defined]


def has_entered(request: HttpRequest) -> bool:
    """Tell whether the request is in."""
    return hasattr(request, "entry")
