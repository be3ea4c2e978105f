"""A day or a week laid out: every stretch of time as a row and a height on a grid of five minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from apps.scheduling.lifecycles import MOVABLE
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.day import Booked, Column, Day, Free, Held
from apps.scheduling.selectors.seven_days import SevenDays

STEP, HOUR, DAY = 300, 3600, 86_400
#: What the axis shows at least, in seconds from local midnight: 08:00 to 18:00.
USUAL = (8 * HOUR, 18 * HOUR)
#: A block of fewer steps has room for one line, and for two.
SHORT_STEPS, HALF_STEPS = 5, 8


@dataclass(frozen=True, slots=True)
class Block:
    """One entry of a column: where it stands and what it says."""

    row: int
    steps: int
    at: datetime
    from_text: str
    to_text: str
    entry: Booked | Held | Free
    kind: str
    status_name: str = ""
    minutes: int = 0
    seconds_left: int = 0
    #: How long the patient has been waiting; None for whoever is not here, or is in already.
    waiting_minutes: int | None = None
    is_movable: bool = False
    #: Whether somebody waits although the visit should have begun.
    waits_past_start: bool = False

    @property
    def is_short(self) -> bool:
        """Whether there is room for one line only."""
        return self.steps < SHORT_STEPS

    @property
    def is_half(self) -> bool:
        """Whether there is room for two lines only."""
        return SHORT_STEPS <= self.steps < HALF_STEPS


@dataclass(frozen=True, slots=True)
class Shade:
    """A stretch of the background: working hours, or the pause after an appointment."""

    row: int
    steps: int
    kind: str


@dataclass(frozen=True, slots=True)
class LaidColumn:
    """One specialist's day, laid out; `opens` is the instant at the top of its axis, epoch seconds."""

    column: Column
    opens: int
    blocks: Sequence[Block]
    shades: Sequence[Shade]
    off: Sequence[Block]
    #: Whether now is on this column's day; `now_row` is None while now is beyond the axis.
    is_today: bool = False
    now_row: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A clinic's day, or a specialist's week, laid out."""

    shown: Day | SevenDays
    steps: int
    hours: Sequence[tuple[int, str]]
    columns: Sequence[LaidColumn]
    #: The instant at which it was laid out, epoch seconds.
    now: int

    @property
    def is_week(self) -> bool:
        """Whether the columns are days."""
        return isinstance(self.shown, SevenDays)


def etag_of(*shown: Any) -> str:
    """Return what changes when something on the page does; what ticks in the browser by itself does not count."""
    return f'"{hashlib.blake2b(repr(shown).encode(), digest_size=12).hexdigest()}"'


def status_name(status: str) -> str:
    """Return what the reader calls a status."""
    choices: Any = Appointment._meta.get_field("status").flatchoices
    return str(dict(choices)[status])


def board_of(shown: Day | SevenDays, now: datetime) -> Board:
    """Lay a day or a week out, its axis open far enough for everything on it, in whole hours.

    The days of a week are laid along the clock on the wall, counted from noon: the axis is that of every day in it,
    also of the one on which the clock is put forward or back before dawn.
    """
    zone = ZoneInfo(shown.timezone)
    if isinstance(shown, Day):
        first, last = shown.start, shown.end
        axes = [(column, first, last) for column in shown.columns]
        whole = last - first
    else:
        axes = [(column, *_from_noon(column.date, zone)) for column in shown.columns if column.date]
        whole = DAY
    stretches = [
        (start - first, end - first) for column, first, last in axes for start, end in _on(column, first, last)
    ]
    opens = max(0, min([USUAL[0], *(start for start, _end in stretches)]) // HOUR * HOUR)
    closes = min(whole, -(-max([USUAL[1], *(end for _start, end in stretches)]) // HOUR) * HOUR)
    moment = int(now.timestamp())
    axis = Axis(axes[0][1] if axes else _start_of(shown, zone), opens, closes, zone, moment)
    return Board(
        shown=shown,
        steps=axis.steps(axis.opens, axis.closes),
        hours=axis.hours(),
        columns=[Axis(first, opens, closes, zone, moment).column(column) for column, first, _last in axes],
        now=moment,
    )


def _from_noon(day: date, zone: ZoneInfo) -> tuple[int, int]:
    noon = int(datetime.combine(day, time(12), zone).timestamp())
    return noon - DAY // 2, noon + DAY // 2


def _start_of(shown: Day | SevenDays, zone: ZoneInfo) -> int:
    return shown.start if isinstance(shown, Day) else _from_noon(shown.first, zone)[0]


def _on(column: Column, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield whatever has to be on the axis, clipped to [first, last)."""
    for start, end in (*column.hours, *((entry.start, entry.end) for entry in column.entries)):
        yield max(start, first), min(end, last)


class Axis:
    """The axis of one column, from which every position follows: `opens` to `closes`, seconds from the day's start."""

    def __init__(self, first: int, opens: int, closes: int, zone: ZoneInfo, now: int) -> None:
        """Begin at the instant `first`, which is epoch seconds as `now` is."""
        self.first, self.zone, self.now = first, zone, now
        self.opens, self.closes = first + opens, first + closes

    def hours(self) -> list[tuple[int, str]]:
        """Return the row and the text of every full hour."""
        return [(self.row(moment), self._clock(moment)) for moment in range(self.opens, self.closes, HOUR)]

    def column(self, column: Column) -> LaidColumn:
        """Lay one column out."""
        pauses = [(entry.end, entry.kept_until) for entry in column.booked if entry.kept_until > entry.end]
        shades = [self._shade(stretch, "hours") for stretch in column.hours]
        shades += [self._shade(stretch, "pause") for stretch in pauses if stretch[0] < self.closes]
        return LaidColumn(
            column=column,
            opens=self.opens,
            blocks=[self._block(entry) for entry in column.entries],
            shades=shades,
            off=[self._block(entry) for entry in column.off],
            is_today=datetime.fromtimestamp(self.now, self.zone).date() == column.date,
            now_row=self.row(self.now) if self.opens <= self.now < self.closes else None,
        )

    def _block(self, entry: Booked | Held | Free) -> Block:
        base = Block(
            row=self.row(entry.start),
            steps=self.steps(max(entry.start, self.opens), min(entry.end, self.closes)),
            at=datetime.fromtimestamp(entry.start, self.zone),
            from_text=self._clock(entry.start),
            to_text=self._clock(entry.end),
            entry=entry,
            kind=type(entry).__name__.lower(),
            minutes=(entry.end - entry.start) // 60,
        )
        if isinstance(entry, Booked):
            return self._visit(base, entry)
        return replace(base, seconds_left=max(entry.expires - self.now, 0)) if isinstance(entry, Held) else base

    def _visit(self, base: Block, entry: Booked) -> Block:
        since = entry.waiting_since
        return replace(
            base,
            status_name=status_name(entry.status),
            is_movable=entry.status in MOVABLE,
            waiting_minutes=None if since is None else max(self.now - since, 0) // 60,
            waits_past_start=since is not None and self.now >= entry.start,
        )

    def _shade(self, stretch: tuple[int, int], kind: str) -> Shade:
        start, end = max(stretch[0], self.opens), min(stretch[1], self.closes)
        return Shade(self.row(start), self.steps(start, end), kind)

    def row(self, moment: int) -> int:
        """Return in which step the moment lies; what is before the axis stands at its top."""
        return max(moment - self.opens, 0) // STEP

    def steps(self, start: int, end: int) -> int:
        """Return how many steps [start, end) touches."""
        return max(-(-(end - self.opens) // STEP) - self.row(start), 1)

    def _clock(self, moment: int) -> str:
        return f"{datetime.fromtimestamp(moment, self.zone):%H:%M}"
