"""Accounts: a login for somebody who has none, made at the identity provider and here.

Source: contract/profiles.md 2.1, 2.3 and contract/scheduling.md 3.1 (`create_account`), contract/organizations.md 1.1.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.organizations.domain import accounts
from apps.organizations.domain.accounts import Account, Incomplete
from apps.organizations.models import User
from apps.organizations.services import users
from restartix.kernel import clerk, clock
from restartix.kernel.errors import AlreadyTaken, Invalid, Unavailable
from restartix.kernel.tenancy import Actor

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Provided:
    """An account at the identity provider, and whether it was made just now rather than found."""

    account: Account
    is_new: bool


def is_asked_of_provider(email: str) -> bool:
    """Tell whether a login for `email` takes a call to the identity provider: nobody here has that e-mail yet."""
    return not settings.DEVELOPMENT_ISSUER and not User.objects.filter(email=email.lower(), deleted_at=None).exists()


def provide(*, email: str, name: str) -> Provided:
    """Make the account at the identity provider, or find the one that has proven the e-mail to be its own.

    Waits for the network, at most twice some seconds: call it in no transaction, and `create_account` with what it
    gives in the next one. Raises Invalid (422), AlreadyTaken (409) and Unavailable (503) as `create_account` does.
    """
    return _provided(users.checked_email(email), name)


def withdraw(provided: Provided) -> None:
    """Remove the account that was made for something that then failed, so that nothing is left of the attempt.

    Waits for the network. An account that was found is not ours to remove. What cannot be removed stays, on the log's
    record, and the next attempt links it.
    """
    if not provided.is_new:
        return
    try:
        clerk.delete_account(provided.account.id)
    except Unavailable:
        logger.exception("an account that nobody needs stays at the identity provider: %s", provided.account.id)


@transaction.atomic
def create_account(*, email: str, name: str, by: Actor, provided: Provided | None = None) -> User:
    """Return the user with this `email`, made at the identity provider and here if there is none yet.

    Without `provided` (see `provide`) the provider is asked inside the caller's transaction, at most twice, each time
    at most some seconds: call this before anything is locked. If the transaction is rolled back afterwards the
    provider's account stays, and the next call finds it. Where the development issuer stands in for the provider, the
    user alone is made.

    Raises Invalid (422) for an e-mail that is none, AlreadyTaken (409) if it belongs to somebody who is blocked or has
    not proven it, and Unavailable (503, with Retry-After) if the provider is out of reach; then nothing is made.
    """
    email = users.checked_email(email)
    user = User.objects.filter(email=email, deleted_at=None).first()
    if user is not None and user.blocked:
        raise AlreadyTaken("email")
    if user is not None and user.clerk_user_id:
        return user
    if settings.DEVELOPMENT_ISSUER:
        return _with_stand_in(user or _made(email, name, by=by), by=by)
    return _settled((provided or _provided(email, name)).account, user, by=by)


def _made(email: str, name: str, *, by: Actor) -> User:
    """Make the user, or find the one whom somebody else has made meanwhile. Raises AlreadyTaken (409) if blocked."""
    try:
        return users.create(by=by, email=email, name=name)
    except AlreadyTaken:
        return _meanwhile(email=email)


def _meanwhile(**known: str) -> User:
    """Return the user whom somebody else was faster to make; raises AlreadyTaken (409) if there is none."""
    user = User.objects.filter(**known, deleted_at=None, blocked=False).first()
    if user is None:
        raise AlreadyTaken("email")
    return user


def _with_stand_in(user: User, *, by: Actor) -> User:
    """Let the development issuer know the user, by the name that `issue_token` would give."""
    return users.know_as(user, by=by, subject=users.development_subject(user))


def _provided(email: str, name: str) -> Provided:
    first, last = accounts.parts_of(name)
    try:
        return Provided(_read(clerk.create_account(email=email, first_name=first, last_name=last)), is_new=True)
    except clerk.EmailRefused as error:
        raise Invalid({"email": ["the identity provider does not accept it"]}) from error
    except clerk.EmailInUse as error:
        found = next((data for data in clerk.accounts_with(email) if accounts.has_verified(data, email)), None)
        if found is None:
            raise AlreadyTaken("email") from error
        return Provided(_read(found), is_new=False)


def _read(data: Mapping[str, Any]) -> Account:
    try:
        return accounts.read(data, otherwise=clock.now(), is_email=users.is_email)
    except Incomplete as error:
        raise Unavailable("The identity provider gave no usable account: try again.", retry_after_seconds=5) from error


def _settled(account: Account, user: User | None, *, by: Actor) -> User:
    """Link the account to the user that waits for it, to the one that it has already, or to a new one."""
    known = User.objects.filter(clerk_user_id=account.id).first()
    if known is not None and (known.deleted_at is not None or known.blocked or user is not None):
        raise AlreadyTaken("email")
    if known is not None:
        return known
    if user is not None:
        return users.follow(user, account, by=by)
    try:
        return users.arrive(account, by=by)
    except AlreadyTaken:  # the provider's own event may have been faster
        return _meanwhile(clerk_user_id=account.id)
