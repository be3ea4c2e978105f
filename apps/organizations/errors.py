"""Every refusal of the ground floor. Source: contract/organizations.md."""

from __future__ import annotations

from restartix.kernel.errors import Conflict, Forbidden, Unauthorized, Unavailable


class LastAdmin(Conflict):
    """An organization keeps at least one active admin."""

    code = "last_admin"


class OwnMembership(Forbidden):
    """Nobody changes their own role or status."""

    def __init__(self) -> None:
        """Say which rule it is."""
        super().__init__(details={"reason": "own_membership"})


class AlreadyMember(Conflict):
    """The user is an active member already, with another role."""

    def __init__(self, role: str) -> None:
        """Name the role that the user has."""
        super().__init__(details={"role": role})


class NotAMember(Forbidden):
    """You are not an active member of that organization."""


class Suspended(Forbidden):
    """The organization is suspended."""

    def __init__(self) -> None:
        """Say which rule it is."""
        super().__init__(details={"reason": "organization_suspended"})


class OnlySuperadmins(Forbidden):
    """Only a superadmin may change these fields."""

    def __init__(self, *fields: str) -> None:
        """Name the fields."""
        super().__init__(details={"fields": list(fields)})


class OwnAccount(Conflict):
    """Nobody blocks themselves."""


class SubscriptionInactive(Conflict):
    """The webhook subscription is inactive: activate it first."""

    code = "subscription_inactive"


class DomainTaken(Conflict):
    """Another organization has verified this domain."""

    code = "domain_taken"


class DomainNotVerified(Conflict):
    """The TXT record was not found."""

    code = "domain_not_verified"


class LimitReached(Conflict):
    """The organization has as many of these as it may have."""

    code = "limit_reached"


class TooManyViews(Conflict):
    """A list keeps at most 20 views of one person: delete one first."""

    code = "limit_reached"


class NoDns(Unavailable):
    """The DNS does not answer: try again."""


class Unsigned(Unauthorized):
    """The event is not signed by the identity provider."""

    def __init__(self, reason: str) -> None:
        """Say what is wrong with the signature."""
        super().__init__(details={"reason": reason})
