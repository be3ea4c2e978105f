"""Integration keys: a clinic's keys for outside services. Source: contract/organizations.md 1.5, 2.4."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from django.db import transaction

from apps.organizations.models import ApiKey
from apps.organizations.services import memberships
from restartix.kernel.crypto import BoundSecretField
from restartix.kernel.tenancy import Actor, active_organization_id

#: The end of a shorter key would tell too much of it.
SHORTEST_SHOWN, SHOWN = 12, 4


class Kept(NamedTuple):
    """A key, and whether the service had none before."""

    key: ApiKey
    is_new: bool


@transaction.atomic
def put(*, by: Actor, service: str, api_key: str, **fields: Any) -> Kept:
    """Keep the active organization's key for a service, in place of the one that it has; locks the organization.

    `fields` may hold `title`; left out, a key that is replaced keeps its own.
    """
    memberships.lock(active_organization_id())
    kept = ApiKey.objects.select_related("created_by").filter(service=service).first()
    if kept is not None:
        return Kept(change(kept, by=by, api_key=api_key, **fields), is_new=False)
    made = ApiKey(service=service, created_by_id=by.user_id, **fields)
    _set(made, api_key)
    made.save(force_insert=True)
    return Kept(made, is_new=True)


@transaction.atomic
def change(key: ApiKey, *, by: Actor, api_key: str = "", **fields: Any) -> ApiKey:
    """Replace the key where a new one is given, and the `title` where it is sent."""
    for name, value in fields.items():
        setattr(key, name, value)
    if api_key:
        _set(key, api_key)
    key.save()
    return key


@transaction.atomic
def destroy(key: ApiKey, *, by: Actor) -> None:
    """Forget the key."""
    key.delete()


def secret_of(service: str) -> str | None:
    """Return the active organization's key for `service` in clear, None where it has none.

    For the code that calls the service, at the moment of the call: never log it, store it or put it in an answer.
    """
    key = ApiKey.objects.filter(service=service).first()
    return None if key is None else _FIELD.open(key)


_FIELD = cast("BoundSecretField", ApiKey._meta.get_field("api_key"))


def _set(key: ApiKey, plain: str) -> None:
    key.api_key = plain  # sealed when it is saved
    key.last4 = plain[-SHOWN:] if len(plain) >= SHORTEST_SHOWN else None
