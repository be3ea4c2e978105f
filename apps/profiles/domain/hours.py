"""Weekly hours and their exceptions: what may be written, and in which order it is kept.

Source: contract/profiles.md 1.8. What the hours mean for slots is in `apps.scheduling.domain.slots`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

WEEKLY_LIMIT = 50
OVERRIDES_LIMIT = 1_000
LONGEST_OVERRIDE = timedelta(days=366)
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
WALL_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")

Errors = dict[str, list[str]]


class WeeklyBlock(NamedTuple):
    """Hours that recur every week by the wall clock: day 0 is Monday; `end_minute` <= `start_minute` is the next day's.

    A tuple, because blocks are hashed and compared with every computation of slots.
    """

    day: int
    start_minute: int
    end_minute: int

    @property
    def minutes(self) -> int:
        """How long the block lasts by the wall clock: 1 to 1440."""
        return (self.end_minute - self.start_minute - 1) % DAY_MINUTES + 1

    def overlaps(self, other: WeeklyBlock) -> bool:
        """Whether the blocks share a minute of the endless week; Sunday night runs into Monday, touching is allowed."""
        distance = (other.day - self.day) * DAY_MINUTES + other.start_minute - self.start_minute
        return distance % WEEK_MINUTES < self.minutes or -distance % WEEK_MINUTES < other.minutes


class InvalidHours(ValueError):
    """The hours break a rule; `errors` says which, under the path of each value: `{"weekly[1]": [...]}`."""

    def __init__(self, errors: Errors) -> None:
        """Keep every problem, so that a page can show them all at once."""
        self.errors = errors
        super().__init__("; ".join(f"{path}: {message}" for path, messages in errors.items() for message in messages))


def validated_weekly(document: Sequence[Mapping[str, Any]]) -> tuple[WeeklyBlock, ...]:
    """Return the blocks of `[{"day": 0, "start": "09:00", "end": "17:00"}]`, sorted.

    Raises InvalidHours with every problem found; overlaps are looked for once each block is sound.
    """
    if len(document) > WEEKLY_LIMIT:
        raise InvalidHours({"weekly": [f"at most {WEEKLY_LIMIT} blocks"]})
    errors: Errors = {}
    for i, entry in enumerate(document):
        errors |= _entry_errors(f"weekly[{i}]", entry)
    if not errors:
        errors = _overlap_errors(_blocks(document))
    if errors:
        raise InvalidHours(errors)
    return weekly_of(document)


def weekly_of(document: Iterable[Mapping[str, Any]]) -> tuple[WeeklyBlock, ...]:
    """Return the blocks of a document that has been validated before, sorted by day and start."""
    return tuple(sorted(_blocks(document)))


def weekly_document(blocks: Iterable[WeeklyBlock]) -> list[dict[str, Any]]:
    """Return the blocks as the API shows them, sorted by day and start."""
    return [
        {"day": block.day, "start": wall_time(block.start_minute), "end": wall_time(block.end_minute)}
        for block in sorted(blocks)
    ]


def check_overrides(spans: Sequence[tuple[datetime, datetime]]) -> None:
    """Check the (start, end) of each override; that some overlap each other is no problem.

    Raises InvalidHours with every problem found.
    """
    if len(spans) > OVERRIDES_LIMIT:
        raise InvalidHours({"overrides": [f"at most {OVERRIDES_LIMIT} overrides"]})
    errors: Errors = {}
    for i, (start, end) in enumerate(spans):
        errors |= _span_errors(f"overrides[{i}]", start, end)
    if errors:
        raise InvalidHours(errors)


def minute_of(text: str) -> int:
    """Return the minute of the day that `HH:MM` names. Raises ValueError outside 00:00-23:59."""
    if not WALL_TIME.fullmatch(text):
        raise ValueError("a time of day from 00:00 to 23:59, like 09:30")
    return int(text[:2]) * 60 + int(text[3:])


def wall_time(minute: int) -> str:
    """Return `HH:MM` of a minute of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _blocks(document: Iterable[Mapping[str, Any]]) -> list[WeeklyBlock]:
    return [WeeklyBlock(entry["day"], minute_of(entry["start"]), minute_of(entry["end"])) for entry in document]


def _entry_errors(path: str, entry: Mapping[str, Any]) -> Errors:
    """Return what is wrong with one entry taken by itself."""
    errors: Errors = {}
    day = entry.get("day")
    if type(day) is not int or not 0 <= day <= 6:  # a JSON true is no Tuesday
        errors[f"{path}.day"] = ["a day from 0 (Monday) to 6 (Sunday)"]
    for key in ("start", "end"):
        try:
            minute_of(str(entry.get(key)))
        except ValueError as error:
            errors[f"{path}.{key}"] = [str(error)]
    return errors


def _overlap_errors(blocks: Sequence[WeeklyBlock]) -> Errors:
    """Return one error for each block that overlaps an earlier one, numbered as they were sent."""
    errors: Errors = {}
    for i, block in enumerate(blocks):
        earlier = next((j for j in range(i) if block.overlaps(blocks[j])), None)
        if earlier is not None:
            errors[f"weekly[{i}]"] = [f"overlaps weekly[{earlier}]"]
    return errors


def _span_errors(path: str, start: datetime, end: datetime) -> Errors:
    errors: Errors = {}
    for key, instant in (("start", start), ("end", end)):
        if instant.second or instant.microsecond:
            errors[f"{path}.{key}"] = ["whole minutes only"]
    if end <= start:
        errors.setdefault(f"{path}.end", []).append("must be later than start")
    elif end - start > LONGEST_OVERRIDE:
        errors.setdefault(f"{path}.end", []).append(f"at most {LONGEST_OVERRIDE.days} days after start")
    return errors
