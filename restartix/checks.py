"""What `manage.py check` says about the environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core import checks

from restartix import environment
from restartix.environment import env


@checks.register()
def unknown_variables(**_: Any) -> Sequence[checks.CheckMessage]:
    """Warn of names beginning with `RESTARTIX_` that mean nothing: most often a typing error."""
    return [
        checks.Warning(
            f"{name} is set, but no such variable exists.",
            hint="The variables are listed in docs/operate/environment.md.",
            id="restartix.W001",
        )
        for name in environment.unknown()
    ]


@checks.register(checks.Tags.security, deploy=True)
def development_stand_ins(**_: Any) -> Sequence[checks.CheckMessage]:
    """Refuse, for deployment, everything that only development may do without."""
    wanted = {
        "DATABASE_URL": not env.database_is_embedded,
        "REDIS_URL": not env.redis_is_embedded,
        "STORAGE_URL": env.storage_url.startswith("s3://"),
        "EMAIL_URL": not env.email_url.startswith(("filemail:", "consolemail:", "memorymail:", "dummymail:")),
        "CLERK_JWKS_URL or CLERK_JWT_KEY": bool(env.clerk_jwks_url or env.clerk_jwt_key),
        "CLERK_ISSUER": bool(env.clerk_issuer) and env.development_issuer_key is None,
        "CLERK_AUTHORIZED_PARTIES": bool(env.clerk_authorized_parties),
        "CLERK_WEBHOOK_SECRET": bool(env.clerk_webhook_secret),
        "TELEMETRY_SERVICE_TOKEN": bool(env.telemetry_service_token),
    }
    return [
        checks.Error(f"{name} has to be set: its stand-in is for development only.", id="restartix.E001")
        for name, given in wanted.items()
        if not given
    ]
