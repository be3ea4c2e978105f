"""Make a superadmin, or make one of an existing user."""

from __future__ import annotations

from django.core.management.base import CommandParser

from apps.organizations.models import User
from apps.organizations.services import users
from restartix.kernel.commands import Command as BaseCommand
from restartix.kernel.tenancy import Actor, Trace, outside_organizations

_ACTOR = Actor.system("create_superadmin")


class Command(BaseCommand):
    help = (
        "Make a superadmin, or promote the user who has the e-mail; prints the user's id. Repeating it changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True, help="the e-mail that the person signs in with")
        parser.add_argument("--name", default="", help="default: what stands before the @")

    def perform(self, *, email: str, name: str, **options: object) -> dict[str, object]:
        with outside_organizations(actor=_ACTOR, trace=Trace(source="command")):
            user = User.objects.filter(email=email.strip().lower(), deleted_at=None).first()
            is_new = user is None
            user = (
                users.promote(user, by=_ACTOR)
                if user
                else users.create(by=_ACTOR, email=email, name=name, is_superadmin=True)
            )
        return {"id": user.pk, "email": user.email, "name": user.name, "created": is_new}

    def lines(self, result: dict[str, object]) -> list[str]:
        """Print the id."""
        return [str(result["id"])]
