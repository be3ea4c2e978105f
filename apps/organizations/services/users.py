"""Users: made ahead of their first sign-in, promoted, blocked; the identity provider owns the rest.

Source: contract/organizations.md 1.1.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from apps.organizations.errors import OwnAccount
from apps.organizations.models import User
from restartix.kernel.errors import AlreadyTaken, Invalid, refusing
from restartix.kernel.tenancy import Actor


@transaction.atomic
def create(*, by: Actor, email: str, name: str = "", **fields: Any) -> User:
    """Make a user whom the identity provider links at the first sign-in with a verified `email`.

    `name` defaults to what stands before the `@`. Raises Invalid (422) if it is no e-mail address, and AlreadyTaken
    (409) if a live user has it.
    """
    email = _checked(email)
    user = User(email=email, name=name.strip() or email.partition("@")[0], **fields)
    user.set_unusable_password()
    with refusing(user_email_free=AlreadyTaken("email")):
        user.save(force_insert=True)
    return user


def _checked(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid({"email": ["an e-mail address is expected"]}) from error
    return email


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


def _change(user: User, **values: Any) -> User:
    """Save the values that differ, so that a repeat leaves no audit row."""
    differing = [name for name, value in values.items() if getattr(user, name) != value]
    for name in differing:
        setattr(user, name, values[name])
    if differing:
        user.save(update_fields=differing)
    return user
