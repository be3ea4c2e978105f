"""Background work of scheduling: what lapsed holds leave behind, old trails, reminders, who has waited long enough."""

from __future__ import annotations

import logging

from celery import shared_task

from apps.scheduling.services import reminders, room_keeping, rooms, sweeping, waiting
from restartix.kernel.periodic import periodic

logger = logging.getLogger(__name__)


@periodic("sweep_holds", every=15)
def sweep_holds() -> int:
    """Remove the claims of lapsed holds and announce that their time is free."""
    return sweeping.sweep()


@periodic("purge_holds", every=3600)
def purge_holds() -> int:
    """Delete holds that ended 24 hours ago, and their trails after 90 days."""
    return sweeping.purge()


@periodic("send_reminders", every=300)
def send_reminders() -> int:
    """Remind patients of appointments that are near, once an appointment and start."""
    return reminders.remind()


@periodic("expire_waitlist", every="30 2 * * *")
def expire_waitlist() -> int:
    """End entries of the waiting list whose last day is over."""
    return waiting.expire()


@periodic("retry_rooms", every=10)
def retry_rooms() -> int:
    """Make, change and remove video rooms as their appointments want them: the guarantee behind the wake-up."""
    rooms.reconcile()
    return room_keeping.run()


@shared_task(name="scheduling.keep_rooms", ignore_result=True)
def keep_rooms_now() -> None:
    """Ask for the video rooms that are due."""
    room_keeping.run()


def _wake_keeper() -> None:
    """Ask a worker for rooms; a broker that is down costs seconds, for the periodic run comes anyway."""
    try:
        keep_rooms_now.apply_async(retry=False, expires=30)
    except Exception as error:  # noqa: BLE001 (whatever the broker raises, the request has succeeded)
        logger.warning("the keeper of rooms was not woken: %s", error)


rooms.on_wanted(_wake_keeper)
