"""The parts that a person may play, and the sets of them that operations name.

Source: contract/conventions.md, "Roles"; contract/organizations.md, section 0.
"""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """A person's part in one organization; `superadmin` stands above all organizations."""

    PATIENT = "patient"
    SPECIALIST = "specialist"
    CUSTOMER_SUPPORT = "customer_support"
    ADMIN = "admin"
    SUPERADMIN = "superadmin"


Roles = frozenset[Role]

#: Superadmins alone.
PLATFORM: Roles = frozenset({Role.SUPERADMIN})
#: Admins of the organization; a superadmin may always do what an admin may.
ADMINS: Roles = PLATFORM | {Role.ADMIN}
#: Admins and the desk.
DESK: Roles = ADMINS | {Role.CUSTOMER_SUPPORT}
#: Admins and specialists.
CLINICIANS: Roles = ADMINS | {Role.SPECIALIST}
#: Everybody who works in the organization.
STAFF: Roles = DESK | {Role.SPECIALIST}
#: Everybody with an active membership.
MEMBERS: Roles = STAFF | {Role.PATIENT}


class Access(StrEnum):
    """Who may call an operation where no role is asked."""

    #: Nobody needs to be signed in; a token that is sent must be valid all the same.
    PUBLIC = "public"
    #: Any signed-in person, with or without an organization.
    SIGNED_IN = "signed_in"


PUBLIC = Access.PUBLIC
SIGNED_IN = Access.SIGNED_IN
