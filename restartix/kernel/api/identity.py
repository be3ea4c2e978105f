"""The seam between the API and the users: one look-up that tells who calls, in which organization, as what.

The kernel knows tokens, the application knows users. The setting `RESTARTIX_IDENTITY` names a callable

    def enter(ask: Ask) -> Found: ...

which the kernel calls inside the request's transaction, before anything else is read. It makes ONE statement that

1. finds the user of `ask.token` (None for an anonymous caller);
2. finds the organization: `ask.organization_id`, or without it the user's current one, provided that the user has an
   active membership there (a superadmin needs none); deleted ones do not exist;
3. writes the transaction-local settings `app.org`, `app.user`, `app.audit` (and `role`, for a superadmin without an
   organization) as `tenancy.acting_for` does. `app.org` is written when the user is an active member, a superadmin, or
   `ask.is_public`; never otherwise.

It refuses nobody: `contexts.decide` judges what was found. It may raise `Unauthorized` for a token that ended on our
side (an impersonation that is over).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from restartix.kernel.roles import Role
from restartix.kernel.tenancy import Actor, Trace
from restartix.kernel.tokens import VerifiedToken


@dataclass(frozen=True, slots=True)
class Ask:
    """What the look-up is asked."""

    token: VerifiedToken | None
    #: That of the path or of the resource named, else of the header. None: the user's current one.
    organization_id: int | None
    #: Whether somebody who is no member may act in that organization (public operations).
    is_public: bool
    trace: Trace


@dataclass(frozen=True, slots=True)
class Person:
    """The user whose token was sent."""

    id: int
    name: str
    email: str
    is_superadmin: bool = False
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class FoundOrganization:
    """The organization that the request acts in."""

    id: int
    slug: str
    name: str
    timezone: str
    locale: str
    currency: str
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the look-up found; `role` is that of an active membership in `organization`."""

    person: Person | None = None
    organization: FoundOrganization | None = None
    role: Role | None = None
    impersonation_id: int | None = None
    #: The staff member behind an impersonation, and as what they began it; `person` is then the patient's user.
    impersonated_by: Person | None = None
    staff_role: Role | None = None
    patient_id: int | None = None

    @property
    def is_superadmin(self) -> bool:
        """Whether the flag of the user counts: under impersonation it does not."""
        return self.person is not None and self.person.is_superadmin and self.impersonation_id is None


@dataclass(frozen=True, slots=True)
class Entered:
    """Who acts in a request and where, once it has been judged."""

    actor: Actor
    person: Person | None
    organization: FoundOrganization | None


class Identity(Protocol):
    """The look-up behind `RESTARTIX_IDENTITY`."""

    def __call__(self, ask: Ask) -> Found:
        """Find the caller and write the transaction's settings, in one statement."""
        ...


@cache
def _imported(path: str) -> Identity:
    return cast("Identity", import_string(path))


def look_up(ask: Ask) -> Found:
    """Ask the application's look-up."""
    return _imported(settings.RESTARTIX_IDENTITY)(ask)
