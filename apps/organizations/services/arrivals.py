"""Arrivals: what the identity provider tells of people, applied once, newest last, whatever the order of arrival.

Source: contract/organizations.md 2.1.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.organizations.domain import accounts
from apps.organizations.domain.accounts import Account, Incomplete
from apps.organizations.models import ArrivalOutcome, IdentityEvent, User
from apps.organizations.services import users
from restartix.kernel import clock
from restartix.kernel.errors import AlreadyTaken, Invalid
from restartix.kernel.tenancy import Actor, Trace, outside_organizations
from restartix.kernel.transactions import joins_transaction

logger = logging.getLogger(__name__)

ACTOR = Actor.system("identity")
UPSERTS = frozenset({"user.created", "user.updated"})
DUPLICATE = "duplicate"
#: Longer than the seven days within which the contract takes a repetition for one.
KEPT = timedelta(days=30)
#: Events about one account wait for each other, those about others do not.
_ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('identity:' || %s, 0))"


@dataclass(frozen=True, slots=True)
class Told:
    """One event whose signature was good."""

    svix_id: str
    type: str
    data: Any
    #: When the provider signed it.
    signed_at: datetime

    @property
    def is_known(self) -> bool:
        """Whether it is of a type that means something here."""
        return self.type in UPSERTS or self.type == IdentityEvent.DELETION


@joins_transaction
def receive(told: Told, *, trace: Trace) -> str:
    """Apply one event and keep it in the inbox, in the caller's transaction; return what became of it.

    Raises Invalid (422) for an event of a known type that lacks the account's id or its primary e-mail.
    """
    with outside_organizations(actor=ACTOR, trace=trace):
        kept = _kept(told)
        if kept is None:
            return DUPLICATE
        outcome = _apply(told) if told.is_known else ArrivalOutcome.IGNORED
        if outcome == ArrivalOutcome.CONFLICT:
            logger.error("identity event %s: the e-mail is another user's", told.svix_id)
        if outcome != kept.outcome:
            kept.outcome = outcome
            kept.save(update_fields=["outcome"])
        return str(outcome)


def _kept(told: Told) -> IdentityEvent | None:
    """Write the event into the inbox; None if it is there already. A twin in flight is waited for."""
    subject = told.data.get("id") if told.is_known and isinstance(told.data, Mapping) else None
    usable = subject if isinstance(subject, str) and len(subject) <= accounts.LONGEST_ID else None
    try:
        with transaction.atomic():
            return IdentityEvent.objects.create(svix_id=told.svix_id, type=told.type, subject=usable)
    except IntegrityError:
        return None


def _apply(told: Told) -> ArrivalOutcome:
    try:
        if told.type == IdentityEvent.DELETION:
            return _departed(accounts.id_in(told.data))
        return _arrived(accounts.read(told.data, otherwise=told.signed_at, is_email=users.is_email))
    except Incomplete as error:
        raise Invalid({f"data.{error.field}": [error.problem]}) from error


def _queue_for(key: str) -> None:
    """Wait until no other event of this account is being applied, and make later ones wait."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BY_ONE, [key])


def _arrived(account: Account) -> ArrivalOutcome:
    """Bring the user up to date, or make one; again if somebody else was faster, whom the second look finds."""
    _queue_for(account.id)
    for _ in range(2):
        user = User.objects.select_for_update(no_key=True).filter(clerk_user_id=account.id).first()
        if user is not None:
            return _brought_up_to_date(user, account)
        if IdentityEvent.objects.filter(subject=account.id, type=IdentityEvent.DELETION).exists():
            return ArrivalOutcome.IGNORED
        waiting = User.objects.select_for_update(no_key=True).filter(email=account.email, deleted_at=None).first()
        if waiting is not None:
            return _linked(waiting, account)
        try:
            users.arrive(account, by=ACTOR)
        except AlreadyTaken:
            continue
        return ArrivalOutcome.PROCESSED
    return ArrivalOutcome.CONFLICT


def _brought_up_to_date(user: User, account: Account) -> ArrivalOutcome:
    is_stale = user.identity_updated_at is not None and account.updated_at <= user.identity_updated_at
    if user.deleted_at is not None or is_stale:
        return ArrivalOutcome.IGNORED
    return _followed(user, account)


def _linked(waiting: User, account: Account) -> ArrivalOutcome:
    """Give a user who was made ahead their account, but only if the account has proven that the e-mail is its own."""
    if waiting.clerk_user_id or not account.is_verified:
        return ArrivalOutcome.CONFLICT
    return _followed(waiting, account)


def _followed(user: User, account: Account) -> ArrivalOutcome:
    try:
        users.follow(user, account, by=ACTOR)
    except AlreadyTaken:
        return ArrivalOutcome.CONFLICT
    return ArrivalOutcome.PROCESSED


def _departed(key: str) -> ArrivalOutcome:
    """End the account; one that nobody here has is remembered by the event itself."""
    _queue_for(key)
    user = User.objects.select_for_update(no_key=True).filter(clerk_user_id=key).first()
    if user is not None and user.deleted_at is not None:
        return ArrivalOutcome.IGNORED
    if user is not None:
        users.leave(user, by=ACTOR)
    return ArrivalOutcome.PROCESSED


@transaction.atomic
def purge() -> int:
    """Delete events that are older than 30 days, those of deletions excepted, and return how many went."""
    old = IdentityEvent.objects.filter(received_at__lt=clock.now() - KEPT).exclude(type=IdentityEvent.DELETION)
    gone, _ = old.delete()
    return gone
