"""Trays: what waits for somebody at the desk, each with its count and the list that shows exactly these.

Apps above this one add theirs when their back office is loaded:

    trays.add("unsigned", unsigned_reports, may=CLINICIANS, rank=60)

A source reads what it counts itself, in the clinic's scope, with a constant number of statements: the board asks again
whenever something changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.scheduling.lifecycles import AppointmentStatus
from apps.scheduling.selectors.attention import standing
from apps.scheduling.selectors.day import Held, held_now
from restartix.kernel import clock
from restartix.kernel.admin.entry import Entry
from restartix.kernel.roles import DESK, STAFF, Role, Roles


@dataclass(frozen=True, slots=True)
class Tray:
    """One pile: how many wait, and the address of the list that shows them."""

    name: str
    label: str
    count: int
    url: str
    icon: str
    #: Whether nothing goes on without somebody.
    is_grave: bool = False
    #: Times that are being chosen now, shown with the time they have left.
    holds: Sequence[KeptTime] = ()


@dataclass(frozen=True, slots=True)
class KeptTime:
    """A time that somebody is choosing now, on the clinic's clock; what is left of it ticks in the browser."""

    hold_id: int
    at: datetime
    specialist: str
    title: str
    may_release: bool
    #: Left out of comparisons and of the board's ETag.
    seconds_left: int = field(repr=False, compare=False)


Source = Callable[[HttpRequest, Entry], Sequence[Tray]]


@dataclass(frozen=True, slots=True)
class _Added:
    source: Source
    may: Roles
    rank: int


_sources: dict[str, _Added] = {}


def add(name: str, source: Source, *, may: Roles = STAFF, rank: int = 50) -> None:
    """Show the trays of `source` to these roles; those with a lower `rank` come first, another of that name goes."""
    _sources[name] = _Added(source, may, rank)


def trays_of(request: HttpRequest, entry: Entry) -> list[Tray]:
    """Return the trays that this person looks after, in order; empty ones too, so that each keeps its place."""
    open_to = sorted((each for each in _sources.values() if entry.may(each.may)), key=lambda each: each.rank)
    return [tray for each in open_to for tray in each.source(request, entry)]


# -- the trays of this app ---------------------------------------------------------------------------------------------


def visits(request: HttpRequest, entry: Entry) -> list[Tray]:
    """Return visits to take in, to confirm, and without a room."""
    found = standing(entry.actor, now=clock.now())
    return [
        Tray(
            "to_take_in",
            _("To take in"),
            found.to_take_in,
            appointments_list(status__exact=AppointmentStatus.BOOKED, o=1),
            "s-booked",
        ),
        Tray(
            "to_confirm",
            _("To confirm, next seven days"),
            found.to_confirm,
            appointments_list(status__exact=AppointmentStatus.UPCOMING, when="soon", o=1),
            "s-upcoming",
        ),
        Tray(
            "rooms_failed",
            _("Video rooms that failed"),
            found.rooms_failed,
            appointments_list(room_status__exact="failed", when="open", o=1),
            "i-video",
            is_grave=True,
        ),
    ]


def appointments_list(**narrowed: Any) -> str:
    """Return the address of the list of appointments, narrowed by these parameters."""
    return f"{reverse('admin:scheduling_appointment_changelist')}?{urlencode(narrowed)}"


def holds(request: HttpRequest, entry: Entry) -> list[Tray]:
    """Return the times that are being chosen now; specialists see their own, the desk may let one go."""
    own = entry.actor.user_id if entry.role == Role.SPECIALIST else None
    now = clock.now()
    kept = [_kept(each, now, may_release=entry.may(DESK)) for each in held_now(own)]
    url = f"{reverse('admin:scheduling_hold_changelist')}?status=live" if entry.may(DESK) else ""
    return [Tray("holds", _("Being chosen now"), len(kept), url, "i-hold", holds=kept)]


def _kept(held: Held, now: datetime, *, may_release: bool) -> KeptTime:
    return KeptTime(
        hold_id=held.hold_id,
        at=localtime(datetime.fromtimestamp(held.start, now.tzinfo)),
        specialist=held.specialist,
        title=held.title,
        may_release=may_release,
        seconds_left=max(held.expires - int(now.timestamp()), 0),
    )


add("visits", visits, rank=10)
add("holds", holds, rank=20)
