"""Video rooms on paper: what a room shall be, when the provider is asked again, who may come in when.

Source: contract/scheduling.md 1.2 (Rooms), 4 row 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST_PARTICIPANTS = 2
#: After each failure in a row the provider is asked again so much later; after the last one no more.
RETRY_AFTER = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))


LONGEST_REASON = 200


class ProviderFailed(Exception):
    """The provider did not do what was asked, or we do not know; the reason is for people, without any secret."""

    def __init__(self, reason: str) -> None:
        """Keep the beginning of the reason."""
        super().__init__(reason[:LONGEST_REASON])

    @property
    def reason(self) -> str:
        """Why, in a few words."""
        return str(self.args[0])


class Part(StrEnum):
    """As what somebody comes into a room."""

    OWNER = "owner"
    PARTICIPANT = "participant"


#: So long before the start somebody may come in.
OPENS_BEFORE = {Part.OWNER: timedelta(minutes=60), Part.PARTICIPANT: timedelta(minutes=15)}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A room as the provider shall keep it: private, for two, until `ends_at`."""

    name: str
    ends_at: datetime
    #: Whether recording is offered.
    records: bool


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who comes into a room, and until when."""

    room: str
    called: str
    part: Part
    ends_at: datetime
    records: bool


def retry_after(failures: int) -> timedelta | None:
    """Return how long to wait after so many failures in a row, None when it is time to give up."""
    return RETRY_AFTER[failures - 1] if failures <= len(RETRY_AFTER) else None


def opens_at(started_at: datetime, part: Part) -> datetime:
    """Return the first instant at which somebody may come in."""
    return started_at - OPENS_BEFORE[part]
