"""Calendar feeds: making, replacing and revoking the secret address. Source: contract/scheduling.md 4, 10-13."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership
from apps.profiles.models import Specialist
from apps.scheduling.models import CalendarFeed
from restartix.environment import env
from restartix.kernel import clock
from restartix.kernel.crypto import random_token, token_digest
from restartix.kernel.errors import NotFound
from restartix.kernel.tenancy import Actor


@dataclass(frozen=True, slots=True)
class Issued:
    """A feed with the token of its address, which is shown this once; `is_new` unless it replaced another."""

    feed: CalendarFeed
    token: str
    is_new: bool


def address_of(token: str) -> str:
    """Return the address under which a calendar program reads the feed."""
    return f"{env.public_url}/v1/calendar-feeds/{token}.ics"


@transaction.atomic
def issue(specialist: Specialist, *, by: Actor) -> Issued:
    """Give the specialist's feed a new address; the old one is dead at once."""
    token = random_token()
    feed, is_new = CalendarFeed.objects.update_or_create(
        specialist=specialist,
        defaults={"token_digest": token_digest(token), "created_at": clock.now(), "last_used_at": None},
    )
    return Issued(feed, token, is_new)


@transaction.atomic
def revoke(specialist: Specialist, *, by: Actor) -> None:
    """Kill the feed's address. Raises NotFound (404) if there is none."""
    removed, _ = CalendarFeed.objects.filter(specialist=specialist).delete()
    if not removed:
        raise NotFound


@transaction.atomic
def find(*, token: str) -> CalendarFeed:
    """Return the feed at this address and note its use.

    Raises NotFound (404) if it is unknown or revoked, the specialist deleted, or their membership disabled.
    """
    feed = CalendarFeed.objects.select_related("specialist").filter(token_digest=token_digest(token)).first()
    if feed is None or feed.specialist.deleted_at is not None or not _still_works_here(feed.specialist):
        raise NotFound
    feed.last_used_at = clock.now()
    feed.save(update_fields=["last_used_at"])
    return feed


def _still_works_here(specialist: Specialist) -> bool:
    if specialist.user_id is None:
        return True
    return Membership.objects.filter(user_id=specialist.user_id, status=MembershipStatus.ACTIVE).exists()
