"""Make a user ahead of their first sign-in."""

from __future__ import annotations

from django.core.management.base import CommandParser

from apps.organizations.services import users
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor, Trace, outside_organizations

_ACTOR = Actor.system("create_user")


class Command(BaseCommand):
    help = "Make a user whom the identity provider links at the first sign-in; refused if the e-mail is in use."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the e-mail that the person signs in with")
        parser.add_argument("--name", required=True, help="the name that others see")
        parser.add_argument("--superadmin", action="store_true", help="with the superadmin flag")

    def perform(self, *, email: str, name: str, superadmin: bool, **options: object) -> dict[str, object]:
        with outside_organizations(actor=_ACTOR, trace=Trace(source="command")):
            user = users.create(by=_ACTOR, email=email, name=name, is_superadmin=superadmin)
        return {"id": user.pk, "email": user.email, "name": user.name}

    def lines(self, result: dict[str, object]) -> list[str]:
        """Print the id."""
        return [str(result["id"])]
