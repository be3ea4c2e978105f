"""Print a development session token."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError, CommandParser

from apps.organizations.lifecycles import MembershipStatus
from apps.organizations.models import Membership, Organization, User
from apps.organizations.services import users
from restartix.kernel import clock, tokens
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor, Trace, acting_for, outside_organizations

_ACTOR = Actor.system("issue_token")


class Command(BaseCommand):
    help = (
        "Print a session token of the development issuer, alone on its line. --organization only checks that the user "
        "may work there: a request names its organization by X-Organization-ID. Refused with DEBUG off."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--user", required=True, metavar="EMAIL", help="whose token")
        parser.add_argument("--organization", metavar="SLUG", help="refuse unless the user is a member of it")
        parser.add_argument("--hours", type=float, default=1, help="how long it is valid (default: 1)")

    def perform(self, *, user: str, organization: str | None, hours: float, **options: object) -> dict[str, object]:
        if not 0 < hours <= 24 * 366:
            raise CommandError("--hours is more than 0 and at most a year.")
        person = _user(user)
        clinic = _organization(organization, person) if organization else None
        with outside_organizations(actor=_ACTOR, trace=Trace(source="command")):
            token = _token(person, hours=hours)
        expires_at = clock.now() + timedelta(hours=hours)
        return {
            "token": token,
            "user_id": person.pk,
            "organization_id": clinic.pk if clinic else None,
            "expires_at": expires_at,
        }

    def lines(self, result: dict[str, object]) -> list[str]:
        """Print the token."""
        return [str(result["token"])]


def _token(person: User, *, hours: float) -> str:
    """Sign a token; a user whom no identity provider knows yet becomes known by a name of our own."""
    subject = users.know_as(person, by=_ACTOR, subject=users.development_subject(person)).clerk_user_id or ""
    try:
        return tokens.issue_development_token(subject, hours=hours)
    except ImproperlyConfigured as error:
        raise CommandError(str(error)) from error


def _user(email: str) -> User:
    person = User.objects.filter(email=email.strip().lower(), deleted_at=None).first()
    if person is None:
        raise CommandError(f"There is no user with the e-mail {email}. Make one with create_user.")
    return person


def _organization(slug: str, person: User) -> Organization:
    clinic = Organization.objects.alive().filter(slug=slug).first()
    if clinic is None:
        raise CommandError(f"There is no organization with the slug {slug}.")
    with acting_for(clinic.pk, actor=_ACTOR, trace=Trace(source="command")):
        member = Membership.objects.filter(user=person, status=MembershipStatus.ACTIVE).exists()
    if not member and not person.is_superadmin:
        raise CommandError(f"{person.email} is not an active member of {slug}.")
    return clinic
