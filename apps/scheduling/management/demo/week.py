"""A believable week: which visits a specialist's days hold, worked out from the date alone.

A day's visits follow from clinic, specialist and date, never from when the plan is made; a visit only becomes more
likely as its day comes nearer. So a run on a later day finds the visits of the former run among its own.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from apps.profiles.models import Specialist
from apps.scheduling.domain.slots import Offer, candidate_starts
from apps.scheduling.domain.zones import DAY, span
from apps.scheduling.models import AppointmentTemplate
from apps.scheduling.selectors.offers import Provider, offer_of

PAST_DAYS, COMING_DAYS = 6, 7
_NAMESPACE = uuid.UUID("5f2c9d8e-7f0b-4c43-9d61-0d7c1e9a4b52")
#: Two services whose next starts lie so near together are both to the specialist's liking.
_CHOICE_SECONDS = 45 * 60


@dataclass(frozen=True, slots=True)
class Visit:
    """One planned visit; `luck` and the like are numbers from 0 to 1 that decide what becomes of it."""

    uid: uuid.UUID
    specialist: Specialist
    template: AppointmentTemplate
    start: datetime
    end: datetime
    #: Which one it is of the day's, and of which day: whose turn it is follows from both.
    place: int
    day: date
    luck: float
    fate: float
    detail: float


def visits_around(
    today: date, *, clinic: str, timezone: str, specialist: Specialist, templates: Sequence[AppointmentTemplate]
) -> Iterator[Visit]:
    """Yield the visits from `PAST_DAYS` before `today` to `COMING_DAYS` after it."""
    if not templates:
        return
    for ahead in range(-PAST_DAYS, COMING_DAYS + 1):
        yield from _day(today + timedelta(days=ahead), ahead, clinic, timezone, specialist, templates)


def _day(
    day: date,
    ahead: int,
    clinic: str,
    timezone: str,
    specialist: Specialist,
    templates: Sequence[AppointmentTemplate],
) -> Iterator[Visit]:
    dice = random.Random(f"{clinic}/{specialist.slug}/{day}")
    starts = {template: _starts(specialist, template, timezone, day) for template in templates}
    free_from = place = 0
    while coming := _coming(starts, free_from):
        template, second = dice.choice(coming)
        free_from = second + (template.duration_minutes + template.gap_minutes) * 60
        nearness, luck, fate, detail = (dice.random() for _ in range(4))
        place += 1
        if nearness < _occupancy(ahead):
            start = datetime.fromtimestamp(second, UTC)
            end = start + timedelta(minutes=template.duration_minutes)
            uid = uuid.uuid5(_NAMESPACE, f"{clinic}/{specialist.slug}/{second}")
            yield Visit(uid, specialist, template, start, end, place, day, luck, fate, detail)


def _starts(specialist: Specialist, template: AppointmentTemplate, timezone: str, day: date) -> list[int]:
    """Return the starts of the template's grid on that day, whatever is booked."""
    low, high = span(timezone, day, day)
    offer: Offer = replace(offer_of(template), min_notice=0, horizon=7 * DAY)
    calendar = Provider(specialist, priority=1).calendar([], license_bounds=False)
    return candidate_starts(calendar, offer, window_start=low, window_end=high, now=low - DAY)


def _coming(starts: dict[AppointmentTemplate, list[int]], free_from: int) -> list[tuple[AppointmentTemplate, int]]:
    """Return what the specialist may do next: a service and its start each."""
    following = [
        (template, next((start for start in of_template if start >= free_from), None))
        for template, of_template in starts.items()
    ]
    coming = [(template, start) for template, start in following if start is not None]
    first = min((start for _, start in coming), default=0)
    return [(template, start) for template, start in coming if start < first + _CHOICE_SECONDS]


def _occupancy(ahead: int) -> float:
    """Return how much of a day so many days ahead is taken: most of today, little of next week."""
    return 0.82 if ahead <= 0 else max(0.2, 0.62 - 0.06 * ahead)
