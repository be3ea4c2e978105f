"""Every status in scheduling, and every move between them. Source: contract/scheduling.md 1.2, 1.5, 4."""

from django.db import models

from restartix.kernel.lifecycle import Lifecycle


class AppointmentStatus(models.TextChoices):
    """Where an appointment stands; the first four are active, the last three final."""

    BOOKED = "booked"
    UPCOMING = "upcoming"
    CONFIRMED = "confirmed"
    INPROGRESS = "inprogress"
    DONE = "done"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"


_S = AppointmentStatus

#: Every move, whichever operation makes it.
APPOINTMENT = Lifecycle(
    AppointmentStatus,
    {
        _S.BOOKED: {_S.UPCOMING, _S.CANCELLED},
        _S.UPCOMING: {_S.CONFIRMED, _S.INPROGRESS, _S.NOSHOW, _S.CANCELLED},
        _S.CONFIRMED: {_S.UPCOMING, _S.INPROGRESS, _S.NOSHOW, _S.CANCELLED},
        _S.INPROGRESS: {_S.DONE, _S.NOSHOW},
        _S.DONE: set(),
        _S.CANCELLED: set(),
        _S.NOSHOW: set(),
    },
)

#: The moves that `PUT .../status` makes.
STATUS_OPERATION = Lifecycle(
    AppointmentStatus,
    {
        _S.BOOKED: set(),
        _S.UPCOMING: {_S.CONFIRMED, _S.INPROGRESS, _S.NOSHOW},
        _S.CONFIRMED: {_S.INPROGRESS, _S.NOSHOW},
        _S.INPROGRESS: {_S.DONE, _S.NOSHOW},
        _S.DONE: set(),
        _S.CANCELLED: set(),
        _S.NOSHOW: set(),
    },
)

#: The moves that `PUT .../cancel` makes.
CANCEL_OPERATION = Lifecycle(
    AppointmentStatus,
    {
        _S.BOOKED: {_S.CANCELLED},
        _S.UPCOMING: {_S.CANCELLED},
        _S.CONFIRMED: {_S.CANCELLED},
        _S.INPROGRESS: set(),
        _S.DONE: set(),
        _S.CANCELLED: set(),
        _S.NOSHOW: set(),
    },
)

#: The moves that `POST .../onboard` makes.
ONBOARD_OPERATION = Lifecycle(
    AppointmentStatus,
    {
        _S.BOOKED: {_S.UPCOMING},
        _S.UPCOMING: set(),
        _S.CONFIRMED: set(),
        _S.INPROGRESS: set(),
        _S.DONE: set(),
        _S.CANCELLED: set(),
        _S.NOSHOW: set(),
    },
)

ACTIVE = (_S.BOOKED, _S.UPCOMING, _S.CONFIRMED, _S.INPROGRESS)
TERMINAL = (_S.DONE, _S.CANCELLED, _S.NOSHOW)
#: A patient is linked, and the session may still take place.
WITH_PATIENT = (_S.UPCOMING, _S.CONFIRMED, _S.INPROGRESS)
#: From these an appointment may still be moved or cancelled.
MOVABLE = (_S.BOOKED, _S.UPCOMING, _S.CONFIRMED)


class HoldStatus(models.TextChoices):
    """Where a hold stands; a live row past `expires_at` reads as expired everywhere."""

    LIVE = "live"
    BOOKED = "booked"
    RELEASED = "released"
    EXPIRED = "expired"


_H = HoldStatus

HOLD = Lifecycle(
    HoldStatus,
    {_H.LIVE: {_H.BOOKED, _H.RELEASED, _H.EXPIRED}, _H.BOOKED: set(), _H.RELEASED: set(), _H.EXPIRED: set()},
)


class WaitlistStatus(models.TextChoices):
    """Where an entry of the waiting list stands; only a waiting one is ever told of a free time."""

    WAITING = "waiting"
    NOTIFIED = "notified"
    REMOVED = "removed"
    EXPIRED = "expired"


_W = WaitlistStatus

WAITLIST = Lifecycle(
    WaitlistStatus,
    {_W.WAITING: {_W.NOTIFIED, _W.REMOVED, _W.EXPIRED}, _W.NOTIFIED: set(), _W.REMOVED: set(), _W.EXPIRED: set()},
)
