"""`manage.py dev_secrets`: the secrets made for development, for clients that test against this server."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from restartix.environment import env
from restartix.kernel.commands import Command as BaseCommand


class Command(BaseCommand):
    help = "Print the development secrets kept in DATA_DIR; refused with DEBUG off."

    def perform(self, **options: Any) -> dict[str, str]:
        if not env.debug:
            raise CommandError("Refused: DEBUG is off, so there are no development secrets to show.")
        return {
            "clerk_webhook_secret": ",".join(env.clerk_webhook_secret),
            "telemetry_service_token": ",".join(env.telemetry_service_token),
            "issuer": env.clerk_issuer,
            "issuer_key_path": str(env.development_issuer_key or ""),
        }
