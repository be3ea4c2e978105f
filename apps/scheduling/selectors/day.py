"""One day of a clinic as its board shows it: who works when, what is booked, what is being chosen right now.

Three statements, whatever the number of specialists and appointments. All instants are integer epoch seconds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import Now

from apps.profiles.models import Specialist
from apps.scheduling.domain.intervals import Interval, clip, difference, union
from apps.scheduling.domain.slots import available_intervals
from apps.scheduling.domain.zones import span
from apps.scheduling.lifecycles import ACTIVE, MOVABLE, AppointmentStatus, HoldStatus
from apps.scheduling.models import Appointment, Hold
from apps.scheduling.selectors.offers import Provider
from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor

#: A shorter stretch between two visits is not told as free.
SHORTEST_FREE_SECONDS = 15 * 60
DAY_SECONDS = 86_400
#: These did not or will not take place, so they hold no time.
OFF = (AppointmentStatus.CANCELLED, AppointmentStatus.NOSHOW)


@dataclass(frozen=True, slots=True)
class Booked:
    """An appointment on the board; `kept_until` includes the gap after it."""

    start: int
    end: int
    kept_until: int
    appointment_id: int
    title: str
    #: The patient, or the contact of somebody who is none yet.
    name: str
    phone: str
    status: str
    mode: str
    color: str
    #: Names this state of the visit's place; whoever moves it shows that this is what they saw.
    version: str = ""
    #: Since when the patient is here; None for whoever has not come, or is in already.
    waiting_since: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A time that somebody is choosing right now."""

    start: int
    end: int
    hold_id: int
    specialist_id: int
    specialist: str
    title: str
    #: Left out of the board's ETag: what is left of a hold ticks in the browser.
    expires: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class Free:
    """A stretch of a specialist's hours that nobody has taken."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Column:
    """One specialist's day; `entries` in the order of time, `off` what was cancelled or missed."""

    specialist_id: int
    name: str
    hours: Sequence[Interval]
    entries: Sequence[Booked | Held | Free]
    off: Sequence[Booked] = ()
    date: date | None = None
    #: What the specialist is, such as "Dr."; a part of `name` too.
    title: str = ""

    @property
    def short_name(self) -> str:
        """The name without the title."""
        return self.name.removeprefix(self.title).lstrip()

    @property
    def booked(self) -> list[Booked]:
        """The appointments that take place."""
        return [entry for entry in self.entries if isinstance(entry, Booked)]

    @property
    def free_seconds(self) -> int:
        """How much of the hours is still free."""
        return sum(entry.end - entry.start for entry in self.entries if isinstance(entry, Free))


@dataclass(frozen=True, slots=True)
class Day:
    """A clinic's day, [start, end) from local midnight to the next."""

    date: date
    timezone: str
    start: int
    end: int
    columns: Sequence[Column]
    #: Specialists without hours or appointments on this day.
    away: Sequence[str] = field(default=())
    #: Every time that is being chosen right now, on whichever day.
    holds: Sequence[Held] = field(default=())

    @property
    def booked_count(self) -> int:
        """How many appointments take place."""
        return sum(len(column.booked) for column in self.columns)


def day_of(day: date, *, timezone: str, actor: Actor) -> Day:
    """Return the board of the local date `day` in `timezone`, as `actor` may see it.

    Specialists see their own column, the desk and admins all. Only holds that are live by the
    database's clock are shown.
    """
    start, end = span(timezone, day, day)
    own = own_column(actor)
    only = {} if own is None else {"specialist__user_id": own}
    booked, held = booked_within(start, end, **only), held_now(own)
    columns, away = [], []
    for person in _people([*booked], own):
        kept = [entry for entry in held if entry.specialist_id == person.pk and entry.start < end and entry.end > start]
        column = column_of(person, day, (start, end), booked[person.pk], kept)
        if column.entries or column.off or column.hours:
            columns.append(column)
        else:
            away.append(column.name)
    return Day(day, timezone, start, end, columns, away, held)


def own_column(actor: Actor) -> int | None:
    """Return the user whose column alone `actor` may see; None for the desk and admins, who see all."""
    return actor.user_id if actor.effective_role == Role.SPECIALIST else None


def _people(with_appointments: Iterable[int], own: int | None) -> list[Specialist]:
    rows = Specialist.objects.filter(Q(deleted_at=None) | Q(pk__in=list(with_appointments)))
    if own is not None:
        rows = rows.filter(user_id=own)
    return list(rows.order_by("name", "pk"))


def booked_within(start: int, end: int, **only: Any) -> dict[int, list[Booked]]:
    """Return the appointments that touch [start, end), by specialist, narrowed by the look-ups `only`."""
    first = _moment(start) - timedelta(hours=24)  # none lasts longer, and starts have an index
    rows = Appointment.objects.alive().filter(started_at__gt=first, started_at__lt=_moment(end), **only)
    rows = rows.filter(ended_at__gt=_moment(start))
    found: defaultdict[int, list[Booked]] = defaultdict(list)
    for row in rows.order_by("started_at", "pk").values_list(*_READ, named=True):  # boards ask often: no instances
        found[row.specialist_id].append(_entry(row))
    return found


_READ = (
    "pk", "specialist_id", "started_at", "ended_at", "gap_minutes", "title", "status", "mode", "reschedule_count",
    "arrived_at", "contact_name", "contact_phone", "patient__person__name", "appointment_template__color",
)  # fmt: skip


def _entry(row: Any) -> Booked:
    """Return one visit from the columns of `_READ`."""
    return Booked(
        start=int(row.started_at.timestamp()),
        end=int(row.ended_at.timestamp()),
        kept_until=int((row.ended_at + timedelta(minutes=row.gap_minutes)).timestamp()),
        appointment_id=row.pk,
        title=row.title,
        name=row.patient__person__name or row.contact_name or "",
        phone=str(row.contact_phone or ""),
        status=row.status,
        mode=row.mode,
        color=row.appointment_template__color or "",
        version=version_of(row),
        waiting_since=int(row.arrived_at.timestamp()) if row.arrived_at and row.status in MOVABLE else None,
    )


def version_of(row: Any) -> str:
    """Name the present state of an appointment's place: another time, specialist or status is another version."""
    times = f"{int(row.started_at.timestamp())}-{int(row.ended_at.timestamp())}"
    return f"{row.reschedule_count}-{row.specialist_id}-{times}-{row.status}"


def standing_in(specialist_id: int, start: int, end: int, *, but: int | None = None) -> Booked | Held | None:
    """Return what of the specialist's takes part of [start, end), the appointment `but` excepted; the first of it."""
    visits = booked_within(start - DAY_SECONDS, end, specialist=specialist_id)[specialist_id]
    found: list[Booked | Held] = [
        entry for entry in visits if entry.status in ACTIVE and entry.kept_until > start and entry.appointment_id != but
    ]
    found += [
        entry
        for entry in held_now(None)
        if entry.specialist_id == specialist_id and entry.start < end and entry.end > start
    ]
    return min(found, key=lambda entry: entry.start, default=None)


def held_now(own: int | None) -> list[Held]:
    """Return the times that are being chosen right now, with `own` those of that user as a specialist."""
    rows = Hold.objects.filter(status=HoldStatus.LIVE, expires_at__gt=Now()).select_related("template", "specialist")
    if own is not None:
        rows = rows.filter(specialist__user_id=own)
    return [
        Held(
            start=int(row.started_at.timestamp()),
            end=int(row.ended_at.timestamp()),
            hold_id=row.pk,
            specialist_id=row.specialist_id,
            specialist=str(row.specialist),
            title=row.template.name,
            expires=int(row.expires_at.timestamp()),
        )
        for row in rows.order_by("started_at", "pk")
    ]


def column_of(
    person: Specialist, day: date, bounds: Interval, appointments: Sequence[Booked], held: Sequence[Held]
) -> Column:
    """Return the day of one specialist within `bounds`, from what is booked and held in them."""
    start, end = bounds
    taking = [entry for entry in appointments if entry.status not in OFF]
    hours = clip(hours_of(person, day - timedelta(days=1), day + timedelta(days=1)), start, end)
    busy = [(entry.start, entry.kept_until) for entry in taking] + [(entry.start, entry.end) for entry in held]
    free = [Free(*gap) for gap in difference(hours, busy) if gap[1] - gap[0] >= SHORTEST_FREE_SECONDS]
    return Column(
        specialist_id=person.pk,
        name=str(person),
        hours=hours,
        entries=sorted([*taking, *held, *free], key=lambda entry: (entry.start, entry.end)),
        off=[entry for entry in appointments if entry.status in OFF],
        date=day,
        title=person.title or "",
    )


def hours_of(person: Specialist, first: date, last: date) -> list[Interval]:
    """Return the stretches in which the specialist works, on the local dates from `first` to `last` of their own zone.

    Nobody who takes no appointments, or has no zone, has hours. Overrides for a single template do not count.
    """
    if not person.scheduling_active or not person.scheduling_timezone:
        return []
    calendar = Provider(person, 0).calendar([], license_bounds=False)
    return union(interval for _day, hours in available_intervals(calendar, None, first, last) for interval in hours)


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
