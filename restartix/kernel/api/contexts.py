"""The organization of a request: where it comes from, and who may act in it.

Source: contract/conventions.md, "Organization context"; organizations.md 2.2 (the organization in the path).
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from django.http import HttpRequest

from restartix.kernel.api import queries
from restartix.kernel.api.identity import Ask, Entered, Found
from restartix.kernel.errors import Forbidden, Invalid, NotFound, OrganizationRequired, Unauthorized
from restartix.kernel.tenancy import EVERY, Actor, Scope, Trace

HEADER = "X-Organization-ID"


class Context(StrEnum):
    """Where an operation takes its organization from."""

    #: The header, else the user's current one; without either only a superadmin goes on, and sees every organization.
    REQUIRED = "required"
    #: The same, but nobody needs one: `/v1/me`, the list of organizations.
    OPTIONAL = "optional"
    #: The user's current one; the header is not looked at.
    IGNORED = "ignored"
    #: The path: `/v1/organizations/{id}/...`.
    PATH = "path"
    #: The resource named; the header restricts further. Nobody needs to be signed in.
    PUBLIC = "public"


def header_of(request: HttpRequest) -> int | None:
    """Return the organization that the header names, None without one.

    Raises Invalid (422) if it is not a positive whole number of 64 bits.
    """
    text = queries.header(request, HEADER)
    if text is None:
        return None
    number = queries.integer(text.strip())
    if number is None or number < 1:
        raise Invalid({HEADER: ["the id of an organization is expected, a whole number"]})
    return number


def decide(ask: Ask, found: Found, *, context: Context, by_header: bool) -> Entered:
    """Judge whether the caller may act where the request wants to.

    Raises Unauthorized (401) for a token whose user is not known here, Forbidden (403) for a blocked user, for a header
    that names an organization the user is not in, and for members of a suspended organization; NotFound (404) where
    the path or the resource names an organization that is not there for the caller; OrganizationRequired (400).
    """
    if ask.token is not None:
        _check_person(found)
    if context is Context.PUBLIC:
        _check_public(ask, found)
    elif context is Context.PATH:
        _check_path(found)
    else:
        _check_member(found, by_header=by_header, needed=context is Context.REQUIRED)
    if found.organization and found.organization.is_suspended and context in {Context.REQUIRED, Context.PATH}:
        _check_not_suspended(found)
    is_meant = ask.organization_id is not None if context is Context.PUBLIC else found.role or found.is_superadmin
    if not is_meant:
        found = replace(found, organization=None, role=None)
    return Entered(actor_of(found), found.person, found.organization)


def _check_person(found: Found) -> None:
    if found.person is None:
        raise Unauthorized(details={"reason": "user_not_provisioned"})
    if found.person.is_blocked:
        raise Forbidden(details={"reason": "user_blocked"})


def _check_public(ask: Ask, found: Found) -> None:
    if ask.organization_id is not None and (found.organization is None or found.organization.is_suspended):
        raise NotFound


def _check_path(found: Found) -> None:
    if found.organization is None or not (found.role or found.is_superadmin):
        raise NotFound


def _check_member(found: Found, *, by_header: bool, needed: bool) -> None:
    if found.organization is not None and (found.role or found.is_superadmin):
        return
    if by_header:
        raise Forbidden("You are not a member of the organization that X-Organization-ID names.")
    if needed and not found.is_superadmin:
        raise OrganizationRequired


def _check_not_suspended(found: Found) -> None:
    if not found.is_superadmin:
        raise Forbidden("The organization is suspended.", details={"reason": "organization_suspended"})


def actor_of(found: Found) -> Actor:
    """Return who acts, as services and audit rows name them."""
    if found.person is None:
        actor = Actor.anonymous()
        return actor.within(found.organization.id, None) if found.organization else actor
    acting = found.impersonated_by or found.person
    return Actor(
        kind="user",
        id=acting.id,
        name=acting.name,
        email=acting.email,
        role=found.role,
        organization_id=found.organization.id if found.organization else None,
        is_superadmin=found.is_superadmin,
        impersonation_id=found.impersonation_id,
        on_behalf_of=found.person.id if found.impersonated_by else None,
        patient_id=found.patient_id,
        staff_role=found.staff_role,
    )


def scope_of(entered: Entered, trace: Trace) -> Scope | None:
    """Return what the request may see: one organization, every one (a superadmin without context), or no tenant row."""
    if entered.organization is not None:
        return Scope(entered.organization.id, entered.actor, trace)
    return Scope(EVERY, entered.actor, trace) if entered.actor.is_superadmin else None
