"""The day laid out: every stretch of time as a row and a height on a grid of five minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.scheduling.models import Appointment
from apps.scheduling.selectors.day import Booked, Column, Day, Free, Held

STEP, HOUR = 300, 3600
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
    """A specialist's day, laid out."""

    column: Column
    blocks: Sequence[Block]
    shades: Sequence[Shade]
    off: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Board:
    """A clinic's day, laid out; `now_row` is None unless now is on it."""

    day: Day
    steps: int
    hours: Sequence[tuple[int, str]]
    columns: Sequence[LaidColumn]
    holds: Sequence[Block] = field(default=())
    now_row: int | None = None

    @property
    def etag(self) -> str:
        """What changes when something on the board does; time left on holds ticks in the browser and does not count."""
        return f'"{hashlib.blake2b(repr((self.day, self.now_row)).encode(), digest_size=12).hexdigest()}"'


def status_name(status: str) -> str:
    """Return what the reader calls a status."""
    choices: Any = Appointment._meta.get_field("status").flatchoices
    return str(dict(choices)[status])


class Layout:
    """The axis of one day, from which every position follows."""

    def __init__(self, day: Day, now: datetime) -> None:
        """Open the axis far enough for everything that is on it, in whole hours."""
        self.day, self.zone, self.now = day, ZoneInfo(day.timezone), int(now.timestamp())
        starts = [day.start + USUAL[0], *(start for start, _end in _stretches(day))]
        ends = [day.start + USUAL[1], *(end for _start, end in _stretches(day))]
        self.opens = max(day.start, day.start + (min(starts) - day.start) // HOUR * HOUR)
        self.closes = min(day.end, day.start - (day.start - max(ends)) // HOUR * HOUR)

    def board(self) -> Board:
        """Lay the whole day out."""
        day = self.day
        return Board(
            day=day,
            steps=self._steps(self.opens, self.closes),
            hours=[(self._row(moment), self._clock(moment)) for moment in range(self.opens, self.closes, HOUR)],
            columns=[self._column(column) for column in day.columns],
            holds=[self._block(held) for held in day.holds],
            now_row=self._row(self.now) if self.opens <= self.now < self.closes else None,
        )

    def _column(self, column: Column) -> LaidColumn:
        pauses = [(entry.end, entry.kept_until) for entry in column.booked if entry.kept_until > entry.end]
        shades = [self._shade(stretch, "hours") for stretch in column.hours]
        shades += [self._shade(stretch, "pause") for stretch in pauses if stretch[0] < self.closes]
        return LaidColumn(
            column=column,
            blocks=[self._block(entry) for entry in column.entries],
            shades=shades,
            off=[self._block(entry) for entry in column.off],
        )

    def _block(self, entry: Booked | Held | Free) -> Block:
        kind = type(entry).__name__.lower()
        label = status_name(entry.status) if isinstance(entry, Booked) else ""
        return Block(
            row=self._row(entry.start),
            steps=self._steps(max(entry.start, self.opens), min(entry.end, self.closes)),
            at=datetime.fromtimestamp(entry.start, self.zone),
            from_text=self._clock(entry.start),
            to_text=self._clock(entry.end),
            entry=entry,
            kind=kind,
            status_name=label,
            minutes=(entry.end - entry.start) // 60,
            seconds_left=max(entry.expires - self.now, 0) if isinstance(entry, Held) else 0,
        )

    def _shade(self, stretch: tuple[int, int], kind: str) -> Shade:
        start, end = max(stretch[0], self.opens), min(stretch[1], self.closes)
        return Shade(self._row(start), self._steps(start, end), kind)

    def _row(self, moment: int) -> int:
        return max(moment - self.opens, 0) // STEP

    def _steps(self, start: int, end: int) -> int:
        """Return how many steps [start, end) touches."""
        return max(-(-(end - self.opens) // STEP) - self._row(start), 1)

    def _clock(self, moment: int) -> str:
        return f"{datetime.fromtimestamp(moment, self.zone):%H:%M}"


def _stretches(day: Day) -> Iterator[tuple[int, int]]:
    """Yield whatever has to be on the axis, clipped to the day."""
    for column in day.columns:
        yield from column.hours
        for entry in column.entries:
            yield max(entry.start, day.start), min(entry.end, day.end)
