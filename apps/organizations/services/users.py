"""Users: made ahead of their first sign-in, followed, promoted, blocked; the identity provider owns the rest.

Source: contract/organizations.md 1.1, 2.1.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.organizations.domain.accounts import Account
from apps.organizations.errors import OwnAccount
from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, SavedView, User
from restartix.kernel import clock, tenancy
from restartix.kernel.errors import AlreadyTaken, Invalid, refusing
from restartix.kernel.tenancy import Actor, Trace, across_organizations


@transaction.atomic
def create(*, by: Actor, email: str, name: str = "", **fields: Any) -> User:
    """Make a user whom the identity provider links at the first sign-in with a verified `email`.

    `name` defaults to what stands before the `@`. Raises Invalid (422) if it is no e-mail address, and AlreadyTaken
    (409) if a live user has it.
    """
    email = checked_email(email)
    return _inserted(User(email=email, name=name.strip() or email.partition("@")[0], **fields))


def _inserted(user: User) -> User:
    user.set_unusable_password()
    taken = AlreadyTaken("email")
    with refusing(user_email_free=taken, organizations_user_clerk_user_id_key=taken):
        user.save(force_insert=True)
    return user


def checked_email(email: str) -> str:
    """Return the e-mail as it is stored. Raises Invalid (422) if it is none."""
    email = email.strip().lower()
    if not is_email(email):
        raise Invalid({"email": ["an e-mail address is expected"]})
    return email


def is_email(text: str) -> bool:
    """Tell whether `text` has the form of an e-mail address."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


@transaction.atomic
def arrive(account: Account, *, by: Actor) -> User:
    """Make the user of an account at the identity provider.

    Raises AlreadyTaken (409) if a live user has the e-mail, or anybody the account.
    """
    return _inserted(User(**_told(account)))


@transaction.atomic
def follow(user: User, account: Account, *, by: Actor) -> User:
    """Take over what the identity provider says of the user, whose account it henceforth is; hold the row.

    Raises AlreadyTaken (409) if another live user has the e-mail.
    """
    taken = AlreadyTaken("email")
    with refusing(user_email_free=taken, organizations_user_clerk_user_id_key=taken):
        return _change(user, **_told(account))


def _told(account: Account) -> dict[str, Any]:
    return {
        "clerk_user_id": account.id,
        "email": account.email,
        "username": account.username,
        "name": account.name,
        "confirmed": account.is_verified,
        "identity_updated_at": account.updated_at,
    }


@transaction.atomic
def leave(user: User, *, by: Actor) -> User:
    """End the account for ever: blocked, out of every clinic; the row stays, because audit rows point to it.

    The e-mail becomes free for a new user. What hangs on a membership or on a user who is not blocked ends with it, by
    triggers of the apps that made it (impersonations).
    """
    scope = tenancy.current()
    trace = scope.trace if scope else Trace()
    with across_organizations(reason="a deleted user leaves every clinic", actor=by, trace=trace):
        active = Membership.everywhere.filter(user=user, status=MembershipStatus.ACTIVE)
        active.update(status=MembershipStatus.DISABLED, updated_at=clock.now())
        SavedView.objects.filter(user=user).delete()
        return _change(user, blocked=True, deleted_at=clock.now(), current_organization=None)


@transaction.atomic
def promote(user: User, *, by: Actor) -> User:
    """Give the user the superadmin flag; a user who has it keeps it."""
    return _change(user, is_superadmin=True)


@transaction.atomic
def rename(user: User, *, by: Actor, name: str) -> User:
    """Change the name that others see until the identity provider tells another."""
    return _change(user, name=name)


@transaction.atomic
def block(user: User, *, by: Actor) -> User:
    """Keep the user out everywhere, from the next request on. Raises OwnAccount (409) if it is the caller's own."""
    if user.pk == by.user_id:
        raise OwnAccount
    return _change(user, blocked=True)


@transaction.atomic
def unblock(user: User, *, by: Actor) -> User:
    """Let the user in again."""
    return _change(user, blocked=False)


@transaction.atomic
def amend(user: User, *, by: Actor, name: str | None = None, blocked: bool | None = None) -> User:
    """Change what the platform may change of a user. Raises OwnAccount (409) if the caller blocks themselves."""
    if blocked is not None:
        user = block(user, by=by) if blocked else unblock(user, by=by)
    return user if name is None else rename(user, by=by, name=name)


@transaction.atomic
def set_password(user: User, *, by: Actor, password: str) -> User:
    """Set the password of the back office. Raises Invalid (422) if it is too short, too common or like the name."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({"password": list(error.messages)}) from error
    user.set_password(password)
    user.save(update_fields=["password"])
    return user


@transaction.atomic
def know_as(user: User, *, by: Actor, subject: str) -> User:
    """Let tokens with this `sub` be the user's, unless the identity provider has named the user already."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return _change(locked, clerk_user_id=locked.clerk_user_id or subject)


def development_subject(user: User) -> str:
    """Return the `sub` by which the development issuer knows a user whom no identity provider has named."""
    return f"dev_{user.pk}"


def _change(user: User, **values: Any) -> User:
    """Save the values that differ, so that a repeat leaves no audit row."""
    differing = [name for name, value in values.items() if getattr(user, name) != value]
    for name in differing:
        setattr(user, name, values[name])
    if differing:
        user.save(update_fields=differing)
    return user
