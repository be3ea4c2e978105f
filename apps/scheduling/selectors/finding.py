"""The next free times of a service, as the desk looks for them: from a day on, with anybody or with one specialist.

The desk is bound neither by the notice nor by the horizon that patients have; hours, grid and what is taken hold for
both. Source: contract/scheduling.md 2.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from apps.scheduling.domain.slots import merge
from apps.scheduling.domain.zones import span
from apps.scheduling.selectors.booking import chosen
from apps.scheduling.selectors.busy import busy_periods
from apps.scheduling.selectors.offers import Offering, Provider, local_date

#: Days that one look into the calendar spans, and how many looks are taken before giving up.
WINDOW_DAYS, MOST_WINDOWS = 31, 6
#: Seconds; beyond every time that is looked at.
FOR_EVER = 2 * 366 * 86_400


@dataclass(frozen=True, slots=True)
class FreeTime:
    """A start that is free, in epoch seconds, with those who can take it by priority; `is_open` to patients as well."""

    start: int
    providers: Sequence[Provider]
    is_open: bool


def next_free(
    offered: Offering, *, now: datetime, first: date | None = None, specialist_id: int | None = None, count: int
) -> list[FreeTime]:
    """Return the next `count` free times from the clinic's day `first` on, today by default, none that is past.

    Fewer where there are not as many within half a year; one statement for every 31 days looked at.
    """
    providers = chosen(offered, specialist_id)
    found: list[FreeTime] = []
    today = local_date(now, offered.timezone)
    for start, end in _windows(offered, max(first or today, today)):
        if not providers or len(found) >= count:
            break
        found += _free(offered, providers, start, end, now)
    return found[:count]


def _windows(offered: Offering, first: date) -> Iterator[tuple[int, int]]:
    for number in range(MOST_WINDOWS):
        begins = first + timedelta(days=WINDOW_DAYS * number)
        yield span(offered.timezone, begins, begins + timedelta(days=WINDOW_DAYS - 1))


def _free(offered: Offering, providers: Sequence[Provider], start: int, end: int, now: datetime) -> Iterator[FreeTime]:
    offer = replace(offered.offer, min_notice=0, horizon=FOR_EVER)
    people = {provider.specialist.pk: provider for provider in providers}
    busy = busy_periods(list(people), start=start, end=end + offer.duration + offer.gap)
    calendars = [
        provider.calendar(busy[key], license_bounds=offered.suspends_on_expired_license)
        for key, provider in people.items()
    ]
    opens, closes = (now.timestamp() + bound for bound in (offered.offer.min_notice, offered.offer.horizon))
    for second, keys in merge(calendars, offer, window_start=start, window_end=end, now=now.timestamp()):
        is_open = offered.template.is_public and opens <= second < closes
        yield FreeTime(second, [people[key] for key in keys], is_open)
